/**
 * What every Kafka client of ours shares: settings, following a topic, fetching single records, threads, backoff, and
 * explaining a broker's fault.
 */
@NullMarked
package io.linesight.schemas.clients;

import org.jspecify.annotations.NullMarked;
