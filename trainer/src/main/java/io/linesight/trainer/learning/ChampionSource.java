package io.linesight.trainer.learning;

import java.io.IOException;
import java.util.Optional;

/** Knows which checkpoint a channel runs. Called on the trainer's run thread. */
public interface ChampionSource {
    /**
     * @return empty while the channel has none; there is nothing to go on from then
     * @throws IOException when it cannot be found out now; the trainer asks again later
     */
    Optional<Champion> current(String channel) throws IOException;
}
