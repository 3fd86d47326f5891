package io.linesight.trainer.distill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.trainer.torch.Torch;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StudentTest {
    private static final Architecture SMALL = new Architecture(4, List.of(6, 8, 10), List.of(1, 2, 1));
    private static final int SIDE = 64;

    @BeforeAll
    static void start() {
        Torch.start(1);
    }

    private static float[] noise(int n, Random random) {
        float[] v = new float[n];
        for (int i = 0; i < n; i++) v[i] = random.nextFloat();
        return v;
    }

    /** All tensors at random, so that no branch is the identity and no statistic the neutral one. */
    private static Map<String, float[]> random(Student student) {
        Random random = new Random(5);
        Map<String, float[]> values = new HashMap<>();
        student.export().forEach((name, a) -> {
            float[] v = a.floats().clone();
            for (int i = 0; i < v.length; i++)
                v[i] = name.endsWith(".var") ? 0.2f + random.nextFloat() : v[i] + 0.2f * (float) random.nextGaussian();
            values.put(name, v);
        });
        return values;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldExportWhatIsTrained(boolean channelsLast) {
        try (Student student = new Student(SMALL, 3, channelsLast);
                PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            student.restore(random(student));
            float[] images = noise(2 * 3 * SIDE * SIDE, new Random(8));
            List<Tensor> trained = student.forward(Torch.of(images, 2, 3, SIDE, SIDE), false);
            Encoder encoder = Encoder.of(student.onnx(), "student");
            assertThat(encoder.channels()).containsExactly(6, 8, 10);
            try (Teacher session = Teacher.open(encoder, 1)) {
                float[][] exported = session.answer(images, 2, SIDE);
                for (int s = 0; s < 3; s++) {
                    float[] expected = Torch.values(trained.get(s));
                    float max = 0;
                    for (float v : expected) max = Math.max(max, Math.abs(v));
                    assertThat(max).isGreaterThan(0.1f);
                    assertThat(exported[s]).containsExactly(expected, within(1e-5f * max));
                }
            }
        }
    }

    @Test
    void shouldRejectTensorsOfAnotherNetwork() {
        try (Student student = new Student(SMALL, 3, true);
                PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            Map<String, float[]> values = random(student);
            values.put("f8.bias", new float[3]);
            assertThatThrownBy(() -> student.restore(values))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("3 values in 'f8.bias'", "8 are needed");
            values.remove("f8.bias");
            assertThatThrownBy(() -> student.restore(values))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no array 'f8.bias'");
        }
    }
}
