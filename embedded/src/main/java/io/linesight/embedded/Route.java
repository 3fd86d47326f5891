package io.linesight.embedded;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One operation of a REST API: what it is called by and what answers it.
 *
 * @param segments of the path; one in braces matches anything and names it
 */
record Route(String method, List<String> segments, Handler handler) {
    /** Answers the requests of a route. */
    @FunctionalInterface
    interface Handler {
        JsonNode answer(Request request);
    }

    /**
     * A request whose route is known.
     *
     * @param variables of the path
     * @param flag looks up a boolean query parameter
     * @param body an empty object where there was none
     */
    record Request(Map<String, String> variables, Predicate<String> flag, JsonNode body) {
        /** Value of a variable that the route's path names. */
        String get(String variable) {
            return variables.get(variable);
        }

        boolean isSet(String name) {
            return flag.test(name);
        }
    }

    /** @param path as {@code /subjects/{subject}/versions} */
    static Route of(String method, String path, Handler handler) {
        List<String> segments =
                Stream.of(path.split("/")).filter(s -> !s.isEmpty()).toList();
        return new Route(method, segments, handler);
    }

    /**
     * Compares a request with this route.
     *
     * @param path decoded segments
     * @return the path's variables, or null when the request is not of this route
     */
    @Nullable
    Map<String, String> match(String requested, List<String> path) {
        if (!method.equals(requested) || path.size() != segments.size()) return null;
        Map<String, String> variables = new HashMap<>();
        for (int i = 0; i < path.size(); i++) {
            String segment = segments.get(i);
            if (segment.startsWith("{")) variables.put(segment.substring(1, segment.length() - 1), path.get(i));
            else if (!segment.equals(path.get(i))) return null;
        }
        return variables;
    }
}
