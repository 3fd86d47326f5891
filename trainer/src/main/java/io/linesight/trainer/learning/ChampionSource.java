package io.linesight.trainer.learning;

import java.io.IOException;
import java.util.Optional;

/** Knows which checkpoint a channel runs. Called on the trainer's run thread. */
public interface ChampionSource {
    /**
     * @return empty while the channel has none; then there is nothing to train further
     * @throws IOException when it cannot be determined now; the trainer asks again later
     */
    Optional<Champion> current(String channel) throws IOException;
}
