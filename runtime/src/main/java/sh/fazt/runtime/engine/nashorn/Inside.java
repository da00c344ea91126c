package sh.fazt.runtime.engine.nashorn;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import jdk.dynalink.NamedOperation;
import jdk.dynalink.StandardOperation;
import jdk.dynalink.linker.GuardedInvocation;
import jdk.dynalink.linker.LinkRequest;
import jdk.dynalink.linker.LinkerServices;
import jdk.dynalink.linker.support.Guards;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.objects.Global;
import org.openjdk.nashorn.internal.runtime.Context;
import org.openjdk.nashorn.internal.runtime.ECMAException;
import org.openjdk.nashorn.internal.runtime.ParserException;
import org.openjdk.nashorn.internal.runtime.regexp.RegExp;
import sh.fazt.runtime.sandbox.Kill;
import sh.fazt.runtime.sandbox.Meter;

/** The hooks of the instrumented engine that need its types. Thread-safe: stateless but for a bounded cache. */
public final class Inside {
    static final String TOO_DEEP = "Maximum call stack size exceeded";
    private static final int EXPRESSIONS_KEPT = 2_000;
    private static final MethodHandle MISSING_MEMBER = missingMember();
    private static final Map<String, RegExp> EXPRESSIONS = new ConcurrentHashMap<>();

    private Inside() {}

    private static MethodHandle missingMember() {
        try {
            Method method = Class.forName("org.openjdk.nashorn.internal.runtime.linker.NashornBottomLinker")
                    .getDeclaredMethod("linkMissingBeanMember", LinkRequest.class, LinkerServices.class);
            method.setAccessible(true);
            return MethodHandles.lookup().unreflect(method);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /**
     * Hook: links an operation on a Java object, which to a script are its strings, numbers and booleans. There are no
     * members but those of the prototypes, which other linkers have looked at before.
     */
    public static @Nullable GuardedInvocation link(LinkRequest request, LinkerServices services) throws Exception {
        Object self = request.getReceiver();
        var operation =
                NamedOperation.getBaseOperation(request.getCallSiteDescriptor().getOperation());
        if (self == null || operation == StandardOperation.CALL || operation == StandardOperation.NEW) {
            return null;
        }
        try {
            MethodHandle missing = (MethodHandle) MISSING_MEMBER.invoke(request, services);
            return new GuardedInvocation(
                    missing,
                    Guards.getClassGuard(self.getClass())
                            .asType(Guards.getClassGuard(self.getClass())
                                    .type()
                                    .changeParameterType(0, missing.type().parameterType(0))));
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Hook: makes regular expressions. */
    public static RegExp regExp(String pattern, String flags) {
        String key = flags + "/" + pattern;
        RegExp known = EXPRESSIONS.get(key);
        if (known != null) {
            return known;
        }
        RegExp made = new JsRegExp(pattern, flags);
        if (pattern.length() < 1_000) {
            if (EXPRESSIONS.size() >= EXPRESSIONS_KEPT) {
                EXPRESSIONS.clear();
            }
            EXPRESSIONS.put(key, made);
        }
        return made;
    }

    /** Hook: the stack of an error as scripts see it, in terms of their own files. */
    public static String stack(Throwable error) {
        NashornRealm realm = NashornRealm.current();
        return realm == null ? "" : realm.stack(error);
    }

    /** Hook: what a {@code catch} or {@code finally} of a script is about to see. */
    public static Throwable caught(Throwable error) {
        Meter.rethrowIfStopped();
        if (error instanceof ECMAException || error instanceof Kill) {
            return visible(error);
        }
        Global global = Context.getGlobal();
        if (error instanceof StackOverflowError) {
            return new ECMAException(global.newRangeError(TOO_DEEP), null);
        }
        if (error instanceof OutOfMemoryError) {
            throw Meter.current().stop(Meter.Stop.MEMORY);
        }
        if (error instanceof ParserException) {
            return new ECMAException(global.newSyntaxError(error.getMessage()), null);
        }
        return new ECMAException(
                global.newError("the engine failed: " + error.getClass().getSimpleName()), null);
    }

    private static Throwable visible(Throwable error) {
        if (error instanceof Kill kill) {
            throw kill;
        }
        return error;
    }
}
