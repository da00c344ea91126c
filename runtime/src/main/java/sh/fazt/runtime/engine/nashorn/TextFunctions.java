package sh.fazt.runtime.engine.nashorn;

import static sh.fazt.runtime.engine.nashorn.HostFunctions.UNDEFINED;
import static sh.fazt.runtime.engine.nashorn.HostFunctions.define;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Base64;
import java.util.random.RandomGenerator;
import org.openjdk.nashorn.internal.objects.NativeArrayBuffer;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import org.openjdk.nashorn.internal.runtime.arrays.ArrayData;

/** What the prelude asks of Java for texts, bytes and chance. Stateless. */
final class TextFunctions {
    private static final Method BUFFER;
    private static final int MOST_RANDOM_BYTES = 65_536;

    static {
        try {
            BUFFER = NativeArrayBuffer.class.getDeclaredMethod("getBuffer");
            BUFFER.setAccessible(true);
        } catch (NoSuchMethodException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private TextFunctions() {}

    static byte[] bytesOf(ScriptObject arrayBuffer) {
        try {
            ByteBuffer buffer = ((ByteBuffer) BUFFER.invoke(arrayBuffer)).duplicate();
            buffer.clear();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            return bytes;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    static void install(ScriptObject hooks, RandomGenerator random) {
        define(hooks, "encode", (self, arguments) -> {
            // The bytes of a text, one per character: the prelude makes an array of them.
            byte[] utf8 = JSType.toString(arguments[0]).getBytes(StandardCharsets.UTF_8);
            return new String(utf8, StandardCharsets.ISO_8859_1);
        });
        define(hooks, "decode", (self, arguments) -> {
            byte[] bytes = latin(JSType.toString(arguments[0]));
            String text = new String(bytes, StandardCharsets.UTF_8);
            if (JSType.toBoolean(arguments[1])
                    && !java.util.Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)) {
                throw HostFunctions.typeError("the encoded data is not valid UTF-8");
            }
            return text;
        });
        define(hooks, "latin", (self, arguments) -> {
            ArrayData data = ((ScriptObject) arguments[0]).getArray();
            byte[] bytes = new byte[(int) data.length()];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) data.getInt(i);
            }
            return new String(bytes, StandardCharsets.ISO_8859_1);
        });
        define(hooks, "base64", (self, arguments) -> {
            String text = JSType.toString(arguments[0]);
            if (text.chars().anyMatch(c -> c > 255)) {
                return UNDEFINED;
            }
            return Base64.getEncoder().encodeToString(latin(text));
        });
        define(hooks, "unbase64", (self, arguments) -> {
            String text = JSType.toString(arguments[0]).replaceAll("[\\t\\n\\f\\r ]", "");
            try {
                return new String(Base64.getDecoder().decode(text), StandardCharsets.ISO_8859_1);
            } catch (IllegalArgumentException e) {
                return UNDEFINED;
            }
        });
        define(hooks, "normalize", (self, arguments) -> {
            String form = JSType.toString(arguments[1]);
            return switch (form) {
                case "NFC", "NFD", "NFKC", "NFKD" ->
                    Normalizer.normalize(JSType.toString(arguments[0]), Normalizer.Form.valueOf(form));
                default -> UNDEFINED;
            };
        });
        define(hooks, "random", (self, arguments) -> {
            int count = JSType.toInt32(arguments[0]);
            if (count < 0 || count > MOST_RANDOM_BYTES) {
                return UNDEFINED;
            }
            byte[] bytes = new byte[count];
            random.nextBytes(bytes);
            return new String(bytes, StandardCharsets.ISO_8859_1);
        });
        define(hooks, "repeat", (self, arguments) -> {
            String text = JSType.toString(arguments[0]);
            double times = JSType.toNumber(arguments[1]);
            sh.fazt.runtime.sandbox.Meter.length((int) Math.min(Integer.MAX_VALUE, text.length() * times));
            sh.fazt.runtime.sandbox.Meter.reserve((int) Math.min(Integer.MAX_VALUE, text.length() * times), 2);
            return text.repeat((int) times);
        });
        define(hooks, "canonical", (self, arguments) -> Requests.canonical(JSType.toString(arguments[0])));
        define(hooks, "nanos", (self, arguments) -> (double) System.nanoTime());
    }

    private static byte[] latin(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
