/** Decodes camera images safely, brings them to the model's size, and draws heatmaps. */
@NullMarked
package io.linesight.mmad.image;

import org.jspecify.annotations.NullMarked;
