package io.linesight.trainer.gate;

import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ProductMetrics;
import java.util.List;

/**
 * What the gate decided.
 *
 * @param verdict outcome and reason, for the {@code ModelVersion}
 * @param products figures of both models, sorted by product
 */
public record GateResult(GateVerdict verdict, List<ProductMetrics> products) {}
