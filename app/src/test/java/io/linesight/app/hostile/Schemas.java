package io.linesight.app.hostile;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.ShadowDifference;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;

/** A schema registry in memory with our contracts, ids 1 to 8, and some that are made to do harm. */
final class Schemas implements AutoCloseable {
    static final List<Schema> OURS = List.of(
            CameraFrame.getClassSchema(),
            FrameLabel.getClassSchema(),
            ModelVersion.getClassSchema(),
            Rollout.getClassSchema(),
            ModelStatus.getClassSchema(),
            InspectionResult.getClassSchema(),
            AnomalyEvent.getClassSchema(),
            ShadowDifference.getClassSchema());
    /** Fields that a reader of frames skips: of no bytes, of themselves, of arrays in arrays. */
    private static final List<String> HARMFUL = List.of(
            "{\"name\":\"x\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":\"null\"}},\"default\":[]}",
            "{\"name\":\"x\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Nothing\",\"fields\":[]}},\"default\":[]}",
            "{\"name\":\"x\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"fixed\",\"name\":\"None\",\"size\":0}},\"default\":[]}",
            "{\"name\":\"x\",\"type\":{\"type\":\"record\",\"name\":\"Endless\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"Endless\"]}]}}",
            "{\"name\":\"x\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":\"string\"}},\"default\":[]}");

    private final HttpServer server;
    private final List<String> all = new ArrayList<>();

    Schemas() throws IOException {
        for (Schema s : OURS) all.add(s.toString());
        String frame = CameraFrame.getClassSchema().toString();
        for (String field : HARMFUL)
            all.add(frame.substring(0, frame.lastIndexOf(']')) + "," + field + frame.substring(frame.lastIndexOf(']')));
        for (String s : all) new Schema.Parser().parse(s);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    String url() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        int id = 0;
        if (path.startsWith("/schemas/ids/")) {
            String number = path.substring("/schemas/ids/".length());
            id = number.length() > 4 || number.startsWith("-") ? 0 : Integer.parseInt(number);
        } else if (exchange.getRequestMethod().equals("POST")) {
            id = all.indexOf(new ObjectMapper().readTree(body).path("schema").asText()) + 1;
        }
        boolean known = id >= 1 && id <= all.size();
        byte[] answer = new ObjectMapper()
                .writeValueAsBytes(
                        known
                                ? Map.of("id", id, "schema", all.get(id - 1))
                                : Map.of("error_code", 40403, "message", "Schema not found"));
        try (exchange) {
            exchange.sendResponseHeaders(known ? 200 : 404, answer.length);
            exchange.getResponseBody().write(answer);
        }
    }

    /** In Confluent's wire format. */
    static byte[] wire(SpecificRecord record) throws IOException {
        return wire(OURS.indexOf(record.getSchema()) + 1, record, new byte[0]);
    }

    /** @param more bytes behind the record, for a writer's schema that goes on */
    static byte[] wire(int id, SpecificRecord record, byte[] more) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
        new SpecificDatumWriter<SpecificRecord>(record.getSchema()).write(record, encoder);
        encoder.flush();
        out.writeBytes(more);
        return out.toByteArray();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
