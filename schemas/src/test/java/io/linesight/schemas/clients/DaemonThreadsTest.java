package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DaemonThreadsTest {
    @Test
    void shouldCreateNamedDaemonThatIsNotStarted() {
        Thread thread = DaemonThreads.create("work", () -> {});
        assertThat(thread.getName()).isEqualTo("work");
        assertThat(thread.isDaemon()).isTrue();
        assertThat(thread.getState()).isEqualTo(Thread.State.NEW);
    }

    @Test
    void shouldRunTaskOnStartedThread() throws Exception {
        CompletableFuture<String> name = new CompletableFuture<>();
        DaemonThreads.start("work", () -> name.complete(Thread.currentThread().getName()));
        assertThat(name.get(10, TimeUnit.SECONDS)).isEqualTo("work");
    }

    @Test
    void shouldNumberThreadsOfPool() {
        ThreadFactory threads = DaemonThreads.numbered("pool");
        assertThat(threads.newThread(() -> {}).getName()).isEqualTo("pool-1");
        assertThat(threads.newThread(() -> {}).getName()).isEqualTo("pool-2");
        assertThat(threads.newThread(() -> {}).isDaemon()).isTrue();
    }

    @Test
    void shouldGiveOneName() {
        ThreadFactory threads = DaemonThreads.factory("only");
        assertThat(threads.newThread(() -> {}).getName()).isEqualTo("only");
        assertThat(threads.newThread(() -> {}).isDaemon()).isTrue();
    }
}
