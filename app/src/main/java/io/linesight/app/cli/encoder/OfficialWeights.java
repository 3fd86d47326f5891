package io.linesight.app.cli.encoder;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * torchvision's published ImageNet weights. The digits in a file's name are the first eight of its SHA-256, by which
 * PyTorch's own hub checks its downloads; the full hashes are published nowhere that they could have been taken from,
 * so these digits are what is pinned here. They tell a damaged or wrong file, not one that somebody forged with effort:
 * that cannot run anything here either way, and {@code --sha256} pins more.
 */
enum OfficialWeights {
    RESNET18("f37072fd"),
    RESNET34("b627a593"),
    RESNET50("0676ba61"),
    WIDE_RESNET50_2("95faca4d");

    private static final String BASE = "https://download.pytorch.org/models/";

    private final String digits;

    OfficialWeights(String digits) {
        this.digits = digits;
    }

    /** As torchvision calls the network. */
    String network() {
        return name().toLowerCase(Locale.ROOT);
    }

    String file() {
        return network() + "-" + digits + ".pth";
    }

    String url() {
        return BASE + file();
    }

    /** How the SHA-256 of the file begins, hex. */
    String sha256Begin() {
        return digits;
    }

    /** @return null when there is none of this name */
    static OfficialWeights of(String network) {
        return Arrays.stream(values())
                .filter(w -> w.network().equals(network))
                .findFirst()
                .orElse(null);
    }

    static String names() {
        return Arrays.stream(values()).map(OfficialWeights::network).collect(Collectors.joining(", "));
    }
}
