package io.linesight.trainer.report;

import static org.assertj.core.api.Assertions.assertThat;

import gg.jte.output.StringOutput;
import org.junit.jupiter.api.Test;

class HtmlTest {
    private static String name(String text) {
        StringOutput out = new StringOutput();
        HtmlReport.render("name.jte", text, out);
        return out.toString();
    }

    @Test
    void shouldEscapeWhatHtmlWouldUnderstand() {
        assertThat(name("<a href=\"x\" onclick='y'>&lt;"))
                .isEqualTo("<bdi>&lt;a href=\"x\" onclick='y'&gt;&amp;lt;</bdi>");
        assertThat(name("Schraube äöü 螺丝 \uD83D\uDD29")).isEqualTo("<bdi>Schraube äöü 螺丝 \uD83D\uDD29</bdi>");
    }

    @Test
    void shouldEscapeQuotesInCharts() {
        assertThat(Html.escape("<a href=\"x\">&lt;")).isEqualTo("&lt;a href=&quot;x&quot;&gt;&amp;lt;");
    }

    @Test
    void shouldReplaceWhatHtmlHasNoPlaceFor() {
        assertThat(name("a\0b\u001b[31mc\uD83Dd\u0085")).isEqualTo("<bdi>a\uFFFDb\uFFFD[31mc\uFFFDd\uFFFD</bdi>");
    }

    @Test
    void shouldKeepTurnedTextWithinItsName() {
        assertThat(name("x\u202Egnp.exe")).startsWith("<bdi>").endsWith("</bdi>");
    }

    @Test
    void shouldWriteNumbersAsPeopleReadThem() {
        assertThat(Html.percent(0.9549)).isEqualTo("95.5");
        assertThat(Html.percent(null)).isEqualTo("–");
        assertThat(Html.score(2.65812)).isEqualTo("2.658");
        assertThat(Html.score(0.0123456)).isEqualTo("0.01235");
        assertThat(Html.score(1234.56)).isEqualTo("1235");
        assertThat(Html.score(-0.5)).isEqualTo("-0.5000");
        assertThat(Html.score(0)).isEqualTo("0");
        assertThat(Html.share(1, 8)).isEqualTo("12.5 %");
        assertThat(Html.share(0, 0)).isEqualTo("–");
    }

    @Test
    void shouldPutTicksAtRoundValues() {
        assertThat(Axis.over(0, 10.5, 4).ticks()).containsExactly(0.0, 2.0, 4.0, 6.0, 8.0, 10.0);
        Axis fine = Axis.over(0.31, 0.36, 5);
        assertThat(fine.ticks().stream().map(fine::label))
                .containsExactly("0.31", "0.32", "0.33", "0.34", "0.35", "0.36");
        Axis negative = Axis.over(-3, 4, 5);
        assertThat(negative.ticks().stream().map(negative::label))
                .containsExactly("-3", "-2", "-1", "0", "1", "2", "3", "4");
    }
}
