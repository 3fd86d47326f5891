/** Counts, on the topics themselves, whether every frame has exactly one answer, in order. */
package io.linesight.app.audit;
