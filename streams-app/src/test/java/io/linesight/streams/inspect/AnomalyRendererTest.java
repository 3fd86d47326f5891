package io.linesight.streams.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.FrameImages;
import io.linesight.mmad.image.RgbImage;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AnomalyRendererTest {
    private static RgbImage decoded(byte[] png) throws Exception {
        return FrameImages.decode("PNG", 0, 0, Map.of(), png, DecodeSettings.defaults())
                .image();
    }

    @Test
    void shouldKeepTheResolutionOfAMapThatFits() throws Exception {
        assertThat(decoded(AnomalyRenderer.png(new byte[1024 * 1024], 1024)).width())
                .isEqualTo(1024);
    }

    @Test
    void shouldHalveAMapThatDoesNotFitAndKeepItsPeak() throws Exception {
        byte[] grey = new byte[2048 * 2048];
        new Random(1).nextBytes(grey);
        for (int i = 0; i < grey.length; i++) grey[i] = (byte) ((grey[i] & 0xff) % 200);
        grey[1001 * 2048 + 1501] = (byte) 255;
        byte[] png = AnomalyRenderer.png(grey, 2048);
        assertThat(png.length).isLessThanOrEqualTo(AnomalyRenderer.MAX_MAP_BYTES);
        RgbImage map = decoded(png);
        int times = 2048 / map.width();
        assertThat(times).isGreaterThan(1);
        int at = 3 * ((1001 / times) * map.width() + 1501 / times);
        assertThat(map.rgb()[at] & 0xff).isEqualTo(255);
    }
}
