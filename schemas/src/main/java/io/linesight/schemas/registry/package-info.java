/** A client of schema registries that speak Confluent's REST API: failover over addresses, retries, bounded caches. */
@NullMarked
package io.linesight.schemas.registry;

import org.jspecify.annotations.NullMarked;
