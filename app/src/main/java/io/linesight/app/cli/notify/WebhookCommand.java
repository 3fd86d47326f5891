package io.linesight.app.cli.notify;

import io.linesight.app.cli.common.UserError;
import io.linesight.notify.Sink;
import io.linesight.notify.WebhookSink;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "webhook",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Posts alerts to a web address as CloudEvents in JSON (application/cloudevents+json).",
            "2xx means taken; 408, 425, 429, 5xx and silence mean that it is tried again; anything else is a refusal. "
                    + "The event's id is the same when it is posted again."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight notify webhook -b localhost:9092 -r http://localhost:8081 http://localhost:9000/alerts",
            "  linesight notify webhook -c line.properties https://mes.plant/alerts --secret-file hook.secret "
                    + "--min-severity HIGH"
        })
final class WebhookCommand implements Callable<Integer> {
    @Mixin
    private DeliveryOptions options;

    @Parameters(paramLabel = "URL", description = "Where to post: http or https.")
    private String url;

    @Option(
            names = "--secret-file",
            paramLabel = "FILE",
            description = "Secret of at least 16 bytes. With it the header " + WebhookSink.SIGNATURE
                    + " is t=SECONDS,v1=HMAC-SHA-256 of 'SECONDS.BODY' in hex.")
    private @Nullable Path secretFile;

    @Override
    public Integer call() throws Exception {
        Sink sink;
        try {
            sink = WebhookSink.of(url, DeliveryOptions.secret(secretFile, "secret"), options.timeout());
        } catch (IllegalArgumentException e) {
            throw new UserError(e.getMessage() + "; nothing was started", e);
        }
        return options.deliver("webhook", sink);
    }
}
