/** The commands under {@code notify}, which deliver alerts to webhooks and MQTT brokers. */
@NullMarked
package io.linesight.app.cli.notify;

import org.jspecify.annotations.NullMarked;
