/** Delivers alerts to those who act on them: each sink reads the alerts topic on its own and loses none. */
@NullMarked
package io.linesight.notify;

import org.jspecify.annotations.NullMarked;
