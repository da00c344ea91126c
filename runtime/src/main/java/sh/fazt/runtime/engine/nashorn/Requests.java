package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.apply;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.define;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.runtime.ECMAException;
import org.openjdk.nashorn.internal.runtime.JSONFunctions;
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

    private final ScriptObject emptyRequest;
    private final ScriptObject emptyHeaders;
    private final ScriptFunction bytes;
    private byte[] body = new byte[0];

    Requests(ScriptObject hooks) {
        bytes = (ScriptFunction) hooks.get("bytes");
        // Copies of these start with the right prototype: one with lazy readers, one that ignores case.
        emptyRequest = (ScriptObject) hooks.get("emptyRequest");
        emptyHeaders = (ScriptObject) hooks.get("emptyHeaders");
        ScriptObject proto = emptyRequest.getProto();
        define(proto, "bodyBytes", (self, arguments) -> toBytes(body));
        define(proto, "bodyText", (self, arguments) -> new String(body, StandardCharsets.UTF_8));
    }

    Made make(Request request) {
        body = request.body();
        ScriptObject made = emptyRequest.copy();
        made.set("method", request.method(), 0);
        made.set("path", request.path(), 0);
        String query = request.query().isEmpty() ? "" : "?" + request.query();
        made.set("url", request.scheme() + "://" + request.host() + request.path() + query, 0);
        made.set("host", request.host(), 0);
        made.set("ip", request.ip(), 0);
        made.set("query", map(Form.decode(request.query())), 0);
        ScriptObject headers = emptyHeaders.copy();
        String type = "";
        for (Header header : request.headers()) {
            String name = canonical(header.name());
            if (!headers.hasOwnProperty(name)) {
                headers.set(name, header.value(), 0);
                if (name.equals("Content-Type")) {
                    type = header.value();
                }
            }
        }
        made.set("headers", headers, 0);
        if (body.length == 0) {
            made.set("body", null, 0);
            return new Made(made, null);
        }
        return parse(made, type);
    }

    private Made parse(ScriptObject made, String type) {
        String kind = type.toLowerCase(Locale.ROOT);
        Object value = null;
        if (kind.contains("application/json") || kind.contains("+json")) {
            try {
                value = JSONFunctions.parse(new String(body, StandardCharsets.UTF_8), UNDEFINED);
            } catch (ECMAException e) {
                return new Made(
                        null,
                        "the body is not the JSON that its Content-Type promises: " + LogText.line(e.getThrown()));
            }
        } else if (kind.contains("application/x-www-form-urlencoded")) {
            value = map(Form.decode(new String(body, StandardCharsets.UTF_8)));
        } else if (kind.contains("multipart/form-data")) {
            Form form;
            try {
                form = Form.multipart(type, body);
            } catch (IllegalArgumentException e) {
                return new Made(null, "the body is not the form that its Content-Type promises: " + e.getMessage());
            }
            value = map(form.fields());
            ScriptObject files = HostFunctions.object();
            for (Part part : form.files()) {
                if (!files.hasOwnProperty(part.field())) {
                    files.set(part.field(), file(part), 0);
                }
            }
            if (!form.files().isEmpty()) {
                made.set("files", files, 0);
            }
        } else if (kind.startsWith("text/")) {
            value = new String(body, StandardCharsets.UTF_8);
        }
        made.set("body", value, 0);
        return new Made(made, null);
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
