/** Lets a frame pass where it looks like one that a person has called a false alarm. */
@NullMarked
package io.linesight.mmad.exemption;

import org.jspecify.annotations.NullMarked;
