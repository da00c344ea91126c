package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.runtime.ECMAException;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.ScriptFunction;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import org.openjdk.nashorn.internal.runtime.ScriptRuntime;
import org.openjdk.nashorn.internal.runtime.Symbol;
import org.openjdk.nashorn.internal.runtime.arrays.ArrayData;
import sh.fazt.runtime.Header;
import sh.fazt.runtime.Result;
import sh.fazt.runtime.Result.Failed;
import sh.fazt.runtime.Result.Reason;
import sh.fazt.runtime.Result.Response;

/**
 * Turns what a script ended with into a response: nothing is 200 without a body, an object is an envelope of status,
 * body and headers, anything else is the body. Used by one thread at a time.
 */
final class Replies {
    private static final String JSON = "application/json";
    private static final byte[] EMPTY = new byte[0];
    /** The server decides these. */
    private static final Set<String> NOT_FOR_SCRIPTS = Set.of(
            "content-length",
            "connection",
            "transfer-encoding",
            "keep-alive",
            "upgrade",
            "trailer",
            "te",
            "proxy-connection");

    private final Shapes shapes;
    private final Shapes.Shape envelope;

    /** {@code respond()}: builds an envelope, sends nothing. */
    Object respond(Object self, Object[] arguments) {
        Object status = 200;
        Object content = UNDEFINED;
        Object headers = UNDEFINED;
        Object first = HostFunctions.argument(arguments, 0);
        boolean number = JSType.isNumber(first);
        if (arguments.length >= 2 && number && JSType.toNumber(first) == Math.rint(JSType.toNumber(first))) {
            status = first;
            content = arguments[1];
            headers = HostFunctions.argument(arguments, 2);
        } else if (arguments.length >= 2) {
            content = arguments[1];
        } else if (number) {
            status = (int) JSType.toNumber(first);
        } else {
            content = first;
        }
        return shapes.make(envelope, new Object[] {status, content, headers});
    }

    Replies(Shapes shapes) {
        this.shapes = shapes;
        this.envelope = shapes.of("status", "body", "headers");
    }

    Result reply(Object value, int mostBytes) {
        if (!(value instanceof ScriptObject envelope)
                || value instanceof ScriptFunction
                || envelope.isArray()
                || isBinary(envelope)) {
            return body(200, value, JSON, List.of(), mostBytes);
        }
        Object status = envelope.get("status");
        int code = 200;
        if (!HostFunctions.isNothing(status)) {
            double number = JSType.isNumber(status) ? JSType.toNumber(status) : Double.NaN;
            if (!(number >= 100 && number <= 999)) {
                return new Failed(
                        Reason.UNSERIALISABLE,
                        "the response has the status " + ScriptRuntime.safeToString(status)
                                + "; it must be a number from 100 to 999",
                        "");
            }
            code = (int) number;
        }
        String type = JSON;
        List<Header> headers = new ArrayList<>();
        if (envelope.get("headers") instanceof ScriptObject given) {
            for (String name : given.getOwnKeys(false)) {
                Object content = given.get(name);
                if (HostFunctions.isNothing(content)) {
                    continue;
                }
                if (name.equalsIgnoreCase("content-type")) {
                    type = JSType.toString(content);
                    continue;
                }
                String problem = header(headers, name, content);
                if (problem != null) {
                    return new Failed(Reason.UNSERIALISABLE, problem, "");
                }
            }
        }
        if (!isClean(type)) {
            return new Failed(Reason.UNSERIALISABLE, "the response header Content-Type contains a line break", "");
        }
        return body(code, envelope.get("body"), type, headers, mostBytes);
    }

    private static @Nullable String header(List<Header> headers, String name, Object content) {
        if (!name.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+")) {
            return "the response header name '" + name + "' contains characters that names can't have";
        }
        if (NOT_FOR_SCRIPTS.contains(name.toLowerCase(Locale.ROOT))) {
            return null;
        }
        if (content instanceof ScriptObject array && array.isArray()) {
            int length = JSType.toInt32(array.getLength());
            for (int i = 0; i < length; i++) {
                String problem = header(headers, name, JSType.toString(array.get(i)));
                if (problem != null) {
                    return problem;
                }
            }
            return null;
        }
        String text = JSType.toString(content);
        if (!isClean(text)) {
            return "the response header " + name + " contains a line break";
        }
        headers.add(new Header(name, text));
        return null;
    }

    private static boolean isClean(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c < ' ' && c != '\t') || c == 127) {
                return false;
            }
        }
        return true;
    }

    private Result body(int status, Object value, String type, List<Header> headers, int mostBytes) {
        byte[] bytes;
        if (HostFunctions.isNothing(value)) {
            bytes = EMPTY;
        } else if (JSType.isString(value)) {
            bytes = text(value.toString(), type);
        } else if (value instanceof ScriptObject object && isBinary(object)) {
            bytes = binary(object);
        } else if (value instanceof ScriptFunction || value instanceof Symbol) {
            return new Failed(
                    Reason.UNSERIALISABLE,
                    "the response is a " + (value instanceof Symbol ? "symbol" : "function") + ", which can't be sent; "
                            + "did you mean to call it?",
                    "");
        } else {
            Object json;
            try {
                json = JsonWriter.write(value, shapes);
            } catch (ECMAException e) {
                return new Failed(
                        Reason.UNSERIALISABLE,
                        "the response can't be written as JSON: " + LogText.line(e.getThrown()),
                        "");
            } catch (StackOverflowError e) {
                return new Failed(
                        Reason.UNSERIALISABLE, "the response can't be written as JSON: it is nested too deeply", "");
            }
            bytes = HostFunctions.isNothing(json) ? EMPTY : json.toString().getBytes(StandardCharsets.UTF_8);
        }
        if (bytes.length > mostBytes) {
            return new Failed(
                    Reason.TOO_LARGE,
                    "the response has " + bytes.length + " bytes, at most " + mostBytes + " are allowed",
                    "");
        }
        return new Response(status, type, headers, bytes);
    }

    /** Stored objects travel through scripts as base64: with a binary type they are what they were. */
    private static byte[] text(String text, String type) {
        String kind = type.toLowerCase(Locale.ROOT);
        boolean binary = (kind.startsWith("image/") && !kind.startsWith("image/svg"))
                || kind.startsWith("audio/")
                || kind.startsWith("video/")
                || kind.startsWith("font/")
                || kind.startsWith("application/octet-stream")
                || kind.startsWith("application/pdf")
                || kind.startsWith("application/zip")
                || kind.startsWith("application/gzip")
                || kind.startsWith("application/wasm");
        if (binary) {
            try {
                return Base64.getDecoder().decode(text);
            } catch (IllegalArgumentException e) {
                return text.getBytes(StandardCharsets.UTF_8);
            }
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static boolean isBinary(ScriptObject object) {
        String name = object.getClassName();
        return name.equals("ArrayBuffer") || name.equals("Uint8Array") || name.equals("Uint8ClampedArray");
    }

    private static byte[] binary(ScriptObject object) {
        if (object.getClassName().equals("ArrayBuffer")) {
            return TextFunctions.bytesOf(object);
        }
        ArrayData data = object.getArray();
        byte[] bytes = new byte[(int) data.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) data.getInt(i);
        }
        return bytes;
    }
}
