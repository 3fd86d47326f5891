package io.linesight.trainer.learning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.linesight.trainer.learning.Lease.Acceptance;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class LeaseTest {
    private final Lease lease = new Lease();
    private final AtomicInteger commits = new AtomicInteger();

    private Supplier<Acceptance> broker(Acceptance acceptance) {
        return () -> {
            commits.incrementAndGet();
            return acceptance;
        };
    }

    private boolean confirm(long number, Supplier<Acceptance> broker) {
        CompletableFuture<Boolean> answer = CompletableFuture.supplyAsync(() -> lease.confirm(number));
        await().until(() -> {
            lease.answer(broker);
            return answer.isDone();
        });
        return answer.join();
    }

    @Test
    void shouldConfirmTheLeaseThatTheBrokerAccepts() {
        lease.acquire();
        assertThat(confirm(lease.number(), broker(Acceptance.ACCEPTED))).isTrue();
        assertThat(confirm(lease.number(), broker(Acceptance.REJECTED))).isFalse();
    }

    @Test
    void shouldRejectAnEarlierLeaseWithoutAskingTheBroker() {
        lease.acquire();
        long first = lease.number();
        lease.release();
        lease.acquire();
        assertThat(lease.isCurrent(first)).isFalse();
        assertThat(confirm(first, broker(Acceptance.ACCEPTED))).isFalse();
        assertThat(commits).hasValue(0);
    }

    @Test
    void shouldAskAgainWhileTheGroupRebalances() {
        lease.acquire();
        Supplier<Acceptance> broker = () -> commits.incrementAndGet() < 3 ? Acceptance.UNKNOWN : Acceptance.ACCEPTED;
        assertThat(confirm(lease.number(), broker)).isTrue();
        assertThat(commits).hasValue(3);
    }

    @Test
    void shouldAnswerNoWhenClosed() {
        lease.acquire();
        long number = lease.number();
        CompletableFuture<Boolean> answer = CompletableFuture.supplyAsync(() -> lease.confirm(number));
        await().until(() -> {
            lease.close();
            return answer.isDone();
        });
        assertThat(answer.join()).isFalse();
        assertThat(lease.isHeld()).isFalse();
    }
}
