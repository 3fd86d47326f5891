package io.linesight.app.cli.common;

import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.ImageLimits;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Options about how images are decoded: the settings {@code linesight.image.*} of {@code serve}, under their short
 * names.
 */
public final class ImageOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--max-pixels",
            paramLabel = "N",
            description = "Most pixels of an image (64000000), as the setting " + DecodeSettings.MAX_PIXELS
                    + " of 'serve'; the limit on a side (16384) goes with it.")
    private @Nullable Long maxPixels;

    @Option(
            names = "--sample-bits",
            paramLabel = "8..16",
            description = "Bits that 16-bit samples use (16), as the setting " + DecodeSettings.SAMPLE_BITS
                    + " of 'serve': 12 for a camera that writes 0 to 4095.")
    private @Nullable Integer sampleBits;

    /**
     * By the options, else by the settings in the environment.
     *
     * @throws ParameterException when a number is out of range
     */
    public DecodeSettings settings() {
        return settings(EnvironmentSettings.of(System.getenv()));
    }

    /** By the options, else by settings. @throws ParameterException when a number is out of range */
    public DecodeSettings settings(Map<String, String> given) {
        Map<String, Object> settings = new HashMap<>(given);
        if (sampleBits != null) settings.put(DecodeSettings.SAMPLE_BITS, sampleBits);
        if (maxPixels != null) {
            settings.put(DecodeSettings.MAX_PIXELS, maxPixels);
            settings.put(
                    DecodeSettings.MAX_SIDE, Math.max(ImageLimits.defaults().maxSide(), maxPixels));
        }
        try {
            return DecodeSettings.of(settings, DecodeSettings.defaults());
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
