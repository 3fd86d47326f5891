package io.linesight.schemas.registry;

import java.util.List;

/**
 * Answer to a compatibility check.
 *
 * @param reasons why not, in the registry's words; may be empty, not every registry gives them
 */
public record Compatibility(boolean compatible, List<String> reasons) {
    public Compatibility {
        reasons = List.copyOf(reasons);
    }
}
