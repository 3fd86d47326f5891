package io.linesight.mmad.checkpoint;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Calibration of every product a checkpoint knows, and the one used for products it does not know.
 *
 * @param fallback for frames without a product or with one the checkpoint was not calibrated on
 * @param byProduct per product id, in Unicode's normal form C ({@link ProductName})
 */
public record Calibration(ProductCalibration fallback, Map<String, ProductCalibration> byProduct) {
    public Calibration {
        if (fallback == null) throw new IllegalArgumentException("a calibration needs a fallback");
        if (byProduct == null)
            throw new IllegalArgumentException("a calibration needs a map of products, which may be empty");
        byProduct = Map.copyOf(normalized(byProduct));
    }

    /** Where two spellings of one name are there, the one in normal form counts. */
    private static Map<String, ProductCalibration> normalized(Map<String, ProductCalibration> byProduct) {
        Map<String, ProductCalibration> named = new TreeMap<>();
        new TreeMap<>(byProduct).forEach((name, c) -> named.putIfAbsent(ProductName.normalized(name), c));
        byProduct.forEach((name, c) -> {
            if (name.equals(ProductName.normalized(name))) named.put(name, c);
        });
        return named;
    }

    /** The product's calibration; the fallback for a product that is null, blank or unknown. */
    public ProductCalibration forProduct(@Nullable String product) {
        String name = ProductName.of(product);
        return name == null ? fallback : byProduct.getOrDefault(name, fallback);
    }

    /** Whether there is a calibration of this product. */
    public boolean knows(@Nullable String product) {
        String name = ProductName.of(product);
        return name != null && byProduct.containsKey(name);
    }

    /** The product whose calibration applies, as it is spelt here, or {@value VerdictRule#FALLBACK}. */
    public String applied(@Nullable String product) {
        String name = ProductName.of(product);
        return name != null && byProduct.containsKey(name) ? name : VerdictRule.FALLBACK;
    }
}
