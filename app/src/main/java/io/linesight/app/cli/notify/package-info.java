/** The commands under {@code notify}, which deliver alerts to webhooks, MQTT brokers and OPC UA clients. */
@NullMarked
package io.linesight.app.cli.notify;

import org.jspecify.annotations.NullMarked;
