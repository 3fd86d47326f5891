/** What every line in one process needs: broker, registry and app, cameras, and books of all frames and answers. */
@NullMarked
package io.linesight.demo.line;

import org.jspecify.annotations.NullMarked;
