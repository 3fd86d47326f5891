package io.linesight.schemas.registry;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** The body of an answer as bytes, up to a limit; what answers there need not be a registry. */
final class LimitedBody implements BodySubscriber<byte[]> {

    private final BodySubscriber<byte[]> whole = BodySubscribers.ofByteArray();
    private final int limit;
    private Flow.Subscription subscription;
    private long received;
    private boolean rejected;

    LimitedBody(int limit) {
        this.limit = limit;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return whole.getBody();
    }

    @Override
    public void onSubscribe(Flow.Subscription s) {
        subscription = s;
        whole.onSubscribe(s);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        if (rejected) {
            return;
        }
        for (ByteBuffer b : buffers) {
            received += b.remaining();
        }
        if (received <= limit) {
            whole.onNext(buffers);
            return;
        }
        rejected = true;
        subscription.cancel();
        whole.onError(new IOException("an answer of more than " + limit + " bytes"));
    }

    @Override
    public void onError(Throwable e) {
        if (!rejected) {
            whole.onError(e);
        }
    }

    @Override
    public void onComplete() {
        if (!rejected) {
            whole.onComplete();
        }
    }
}
