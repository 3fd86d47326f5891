package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TopicFollowerTest {
    private final FakeTopic topic = new FakeTopic(1);
    private final TopicCursor cursor = TopicCursor.atBeginning(topic.consumer, List.of(FakeTopic.NAME));

    @Test
    void shouldHandOverEveryRecordOnItsThread() throws Exception {
        LinkedBlockingQueue<String> handled = new LinkedBlockingQueue<>();
        topic.sendsOnPoll(0, 0, 1);
        try (TopicFollower follower = TopicFollower.start(
                "reader", cursor, record -> handled.add(Thread.currentThread().getName() + " " + record.offset()))) {
            assertThat(handled.poll(10, TimeUnit.SECONDS)).isEqualTo("reader 0");
            assertThat(handled.poll(10, TimeUnit.SECONDS)).isEqualTo("reader 1");
            assertThat(follower.failure()).isEmpty();
        }
        assertThat(topic.consumer.closed()).isTrue();
    }

    @Test
    void shouldStopAndSayWhyWhenHandlerFails() {
        RuntimeException fault = new IllegalStateException("full");
        topic.sendsOnPoll(0, 0);
        try (TopicFollower follower = TopicFollower.start("reader", cursor, record -> {
            throw fault;
        })) {
            await().until(() -> follower.failure().isPresent());
            assertThat(follower.failure()).containsSame(fault);
            await().until(topic.consumer::closed);
        }
    }

    @Test
    void shouldNotWaitForItselfWhenHandlerCloses() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        TopicFollower[] self = new TopicFollower[1];
        CountDownLatch started = new CountDownLatch(1);
        topic.sendsOnPoll(0, 0);
        self[0] = TopicFollower.start("reader", cursor, record -> {
            try {
                started.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            self[0].close();
            closed.countDown();
        });
        started.countDown();
        assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
        await().until(topic.consumer::closed);
        assertThat(self[0].failure()).isEmpty();
    }
}
