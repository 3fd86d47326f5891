package io.linesight.mmad.checkpoint;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Calibration of every product a checkpoint knows, and the one used for products it does not know.
 *
 * @param fallback for frames without a product or with one the checkpoint was not calibrated on
 * @param byProduct per product id
 */
public record Calibration(ProductCalibration fallback, Map<String, ProductCalibration> byProduct) {
    public Calibration {
        if (fallback == null) throw new IllegalArgumentException("a calibration needs a fallback");
        if (byProduct == null)
            throw new IllegalArgumentException("a calibration needs a map of products, which may be empty");
        byProduct = Map.copyOf(new TreeMap<>(byProduct));
    }

    public ProductCalibration forProduct(@Nullable String product) {
        return product == null ? fallback : byProduct.getOrDefault(product, fallback);
    }

    public boolean knows(@Nullable String product) {
        return product != null && byProduct.containsKey(product);
    }
}
