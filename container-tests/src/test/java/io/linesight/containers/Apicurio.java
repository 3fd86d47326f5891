package io.linesight.containers;

import com.github.dockerjava.api.DockerClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/** Apicurio Registry in a container, on one port of this machine for good; its schemas outlast a kill. */
final class Apicurio implements AutoCloseable {
    private final int port = KafkaCluster.freePorts(1)[0];
    private final GenericContainer<?> container = new GenericContainer<>(System.getProperty("linesight.registry.image"))
            .withExposedPorts(8080)
            .withEnv("REGISTRY_DATASOURCE_URL", "jdbc:h2:file:/tmp/registry;WRITE_DELAY=0")
            .waitingFor(Wait.forHttp("/apis/ccompat/v7/subjects").forPort(8080))
            .withStartupTimeout(Duration.ofMinutes(3));

    Apicurio() {
        container.setPortBindings(List.of(port + ":8080"));
        container.start();
    }

    /** Confluent's API. */
    String url() {
        return "http://localhost:" + port + "/apis/ccompat/v7";
    }

    /** Its own. */
    String ownUrl() {
        return "http://localhost:" + port + "/apis/registry/v2";
    }

    void kill() {
        docker().killContainerCmd(container.getContainerId()).exec();
    }

    /** Starts it again after {@link #kill} and waits until it answers. */
    void restart() {
        docker().startContainerCmd(container.getContainerId()).exec();
        HttpRequest ask = HttpRequest.newBuilder(URI.create(url() + "/subjects"))
                .timeout(Duration.ofSeconds(2))
                .build();
        Awaitility.await("the registry")
                .atMost(Duration.ofSeconds(120))
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> HttpClient.newHttpClient()
                                .send(ask, HttpResponse.BodyHandlers.discarding())
                                .statusCode()
                        == 200);
    }

    private DockerClient docker() {
        return container.getDockerClient();
    }

    @Override
    public void close() {
        container.stop();
    }
}
