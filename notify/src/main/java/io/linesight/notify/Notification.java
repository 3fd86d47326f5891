package io.linesight.notify;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.provider.EventFormatProvider;
import io.cloudevents.jackson.JsonFormat;
import io.linesight.schemas.Alert;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.util.Locale;

/**
 * One change of one alert as a CloudEvent 1.0: {@code id} is {@code <alertId>/<revision>}, so whoever gets it twice can
 * tell; {@code type} is {@code io.linesight.alert.<change>}; {@code source} is {@code /linesight/<line>/<camera>};
 * {@code subject} is the alert's id; {@code data} is the whole {@link Alert} with enums by name and times in ISO 8601.
 *
 * @param alert what it is about, not to be changed
 * @param json the event in structured JSON ({@value JsonFormat#CONTENT_TYPE}); not copied
 */
public record Notification(Alert alert, byte[] json) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonFormat FORMAT =
            (JsonFormat) EventFormatProvider.getInstance().resolveFormat(JsonFormat.CONTENT_TYPE);

    /** Makes the event. */
    public static Notification of(Alert alert) {
        try {
            CloudEvent event = CloudEventBuilder.v1()
                    .withId(id(alert))
                    .withType("io.linesight.alert." + alert.getChange().name().toLowerCase(Locale.ROOT))
                    .withSource(source(alert))
                    .withSubject(alert.getAlertId())
                    .withTime(alert.getAt().atOffset(ZoneOffset.UTC))
                    .withData("application/json", JSON.writeValueAsBytes(AvroJson.of(alert)))
                    .build();
            return new Notification(alert, FORMAT.serialize(event));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same whenever the change is delivered again. */
    public String id() {
        return id(alert);
    }

    private static String id(Alert alert) {
        return alert.getAlertId() + "/" + alert.getRevision();
    }

    private static URI source(Alert alert) {
        return URI.create("/linesight/" + part(alert.getLineId()) + "/" + part(alert.getCameraId()));
    }

    private static String part(String name) {
        return name.isEmpty()
                ? "-"
                : URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
