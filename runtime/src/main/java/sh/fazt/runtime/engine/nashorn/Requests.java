package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.apply;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.define;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.runtime.ECMAException;
import org.openjdk.nashorn.internal.runtime.ScriptFunction;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import sh.fazt.runtime.Header;
import sh.fazt.runtime.Request;
import sh.fazt.runtime.engine.Form;
import sh.fazt.runtime.engine.Form.Part;

/** Makes the {@code request} that a script sees. One per realm, used by one thread at a time. */
final class Requests {
    /** Exactly one part is set. */
    record Made(@Nullable ScriptObject value, @Nullable String problem) {}

    private static final int NAMES_KEPT = 500;

    private final Shapes shapes;
    private final Shapes.Shape plain;
    private final Shapes.Shape withFiles;
    private final Shapes.Shape noHeaders;
    private final Map<String, String> canonicalNames = new HashMap<>();
    private final ScriptFunction bytes;
    private byte[] body = new byte[0];

    Requests(ScriptObject hooks, Shapes shapes) {
        this.shapes = shapes;
        // One prototype has readers of the raw body, the other finds headers in whatever case.
        ScriptObject requestProto = (ScriptObject) hooks.get("requestProto");
        Shapes.Shape shape = Shapes.empty(requestProto);
        for (String key : List.of("method", "path", "url", "host", "ip", "query", "headers", "body")) {
            shape = shapes.with(shape, key);
        }
        this.plain = shape;
        this.withFiles = shapes.with(plain, "files");
        this.noHeaders = Shapes.empty((ScriptObject) hooks.get("headersProto"));
        bytes = (ScriptFunction) hooks.get("bytes");
        define(requestProto, "bodyBytes", (self, arguments) -> toBytes(body));
        define(requestProto, "bodyText", (self, arguments) -> new String(body, StandardCharsets.UTF_8));
    }

    Made make(Request request) {
        body = request.body();
        String query = request.query().isEmpty() ? "" : "?" + request.query();
        String type = "";
        Shapes.Shape shape = noHeaders;
        Object[] values = new Object[request.headers().size()];
        for (Header header : request.headers()) {
            String name = canonicalName(header.name());
            if (!shapes.has(shape, name)) {
                values[shape.size()] = header.value();
                shape = shapes.with(shape, name);
                if (name.equals("Content-Type")) {
                    type = header.value();
                }
            }
        }
        ScriptObject headers = shapes.make(shape, values);
        Object[] parts = new Object[9];
        parts[0] = request.method();
        parts[1] = request.path();
        parts[2] = request.scheme() + "://" + request.host() + request.path() + query;
        parts[3] = request.host();
        parts[4] = request.ip();
        parts[5] = map(Form.decode(request.query()));
        parts[6] = headers;
        String problem = body.length == 0 ? null : parse(parts, type);
        if (problem != null) {
            return new Made(null, problem);
        }
        ScriptObject made = shapes.make(parts[8] == null ? plain : withFiles, parts);
        return new Made(made, null);
    }

    private String canonicalName(String name) {
        String known = canonicalNames.get(name);
        if (known == null) {
            known = canonical(name);
            if (canonicalNames.size() >= NAMES_KEPT) {
                canonicalNames.clear();
            }
            canonicalNames.put(name, known);
        }
        return known;
    }

    /** Puts the body, and files if there are any, where they belong; or says what is wrong. */
    private @Nullable String parse(Object[] parts, String type) {
        String kind = type.toLowerCase(Locale.ROOT);
        if (kind.contains("application/json") || kind.contains("+json")) {
            try {
                parts[7] = JsonReader.read(new String(body, StandardCharsets.UTF_8), shapes);
            } catch (ECMAException e) {
                return "the body is not the JSON that its Content-Type promises: " + LogText.line(e.getThrown());
            }
        } else if (kind.contains("application/x-www-form-urlencoded")) {
            parts[7] = map(Form.decode(new String(body, StandardCharsets.UTF_8)));
        } else if (kind.contains("multipart/form-data")) {
            Form form;
            try {
                form = Form.multipart(type, body);
            } catch (IllegalArgumentException e) {
                return "the body is not the form that its Content-Type promises: " + e.getMessage();
            }
            parts[7] = map(form.fields());
            ScriptObject files = HostFunctions.object();
            for (Part part : form.files()) {
                if (!files.hasOwnProperty(part.field())) {
                    files.set(part.field(), file(part), 0);
                }
            }
            if (!form.files().isEmpty()) {
                parts[8] = files;
            }
        } else if (kind.startsWith("text/")) {
            parts[7] = new String(body, StandardCharsets.UTF_8);
        }
        return null;
    }

    private ScriptObject file(Part part) {
        ScriptObject file = HostFunctions.object();
        file.set("name", part.fileName(), 0);
        file.set("type", part.type(), 0);
        file.set("size", part.content().length, 0);
        file.set("data", toBytes(part.content()).get("buffer"), 0);
        return file;
    }

    private ScriptObject toBytes(byte[] content) {
        ScriptObject array = (ScriptObject) apply(bytes, content.length);
        for (int i = 0; i < content.length; i++) {
            array.set(i, content[i] & 0xff, 0);
        }
        return array;
    }

    private static ScriptObject map(Map<String, String> values) {
        ScriptObject object = HostFunctions.object();
        values.forEach((name, value) -> object.set(name, value, 0));
        return object;
    }

    /** {@code content-type} as {@code Content-Type}. */
    static String canonical(String name) {
        StringBuilder text = new StringBuilder(name.length());
        boolean start = true;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            text.append(start ? Character.toUpperCase(c) : Character.toLowerCase(c));
            start = c == '-';
        }
        return text.toString();
    }
}
