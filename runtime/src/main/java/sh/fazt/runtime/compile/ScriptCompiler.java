package sh.fazt.runtime.compile;

import com.google.javascript.jscomp.CheckLevel;
import com.google.javascript.jscomp.Compiler;
import com.google.javascript.jscomp.CompilerOptions;
import com.google.javascript.jscomp.CompilerOptions.LanguageMode;
import com.google.javascript.jscomp.CustomPassExecutionTime;
import com.google.javascript.jscomp.DiagnosticGroups;
import com.google.javascript.jscomp.JSError;
import com.google.javascript.jscomp.PropertyRenamingPolicy;
import com.google.javascript.jscomp.SourceFile;
import com.google.javascript.jscomp.SourceMap;
import com.google.javascript.jscomp.VariableRenamingPolicy;
import com.google.javascript.jscomp.WarningLevel;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import sh.fazt.runtime.Problem;

/**
 * Compiles files with the Closure Compiler, used as a transpiler only: nothing is renamed, removed or injected.
 *
 * <p>Each file is wrapped into a function on a line of its own, so that its declarations stay its own and columns stay
 * what they were. {@link Rewrite} then works on the syntax tree where Closure alone is not enough.
 *
 * <p>Thread-safe: one compilation at a time, results kept by content.
 */
public final class ScriptCompiler {
    /** What a file is for. */
    public enum Kind {
        /** Answers requests: the value of its last statement is the response, {@code await} works everywhere. */
        ENTRY,
        /** Loaded by {@code require}. */
        MODULE
    }

    private static final int KEPT_CHARS = 24 << 20;
    private static final String EXTERNS =
            "var $jscomp, $re, $spread, $super, require, module, exports, request, respond, console, fazt;";
    private static final Pattern STRICT =
            Pattern.compile("\\A(?:\\s|//[^\\n]*\\n|/\\*(?s:.*?)\\*/)*(['\"])use strict\\1");
    private static final Pattern PRIVATE_NAME = Pattern.compile("#(?=[\\p{L}_$])");
    /** Letters of scripts that nobody programs in; the first one that a file does not use stands for {@code #}. */
    private static final String MARKERS = "\ua4d0\u16a0\u1401\ua500";

    private final Map<String, CompiledScript> kept = new LinkedHashMap<>(16, 0.75f, true);
    private int keptChars;

    /** Compiles, or returns what an earlier call made of the same content. */
    public synchronized Compilation compile(String path, String source, Kind kind) {
        String hash = hash(kind + "\n" + source);
        CompiledScript known = kept.get(hash);
        if (known != null) {
            return new Compilation.Done(known);
        }
        Attempt attempt = attempt(path, source, kind, hash, false);
        if (attempt.needsAsync && kind == Kind.ENTRY) {
            attempt = attempt(path, source, kind, hash, true);
        }
        if (attempt.script == null) {
            return new Compilation.Rejected(attempt.problems);
        }
        keep(attempt.script);
        return new Compilation.Done(attempt.script);
    }

    private record Attempt(@Nullable CompiledScript script, List<Problem> problems, boolean needsAsync) {}

    private static Attempt attempt(String path, String source, Kind kind, String hash, boolean async) {
        char marker = marker(source);
        String text = PRIVATE_NAME.matcher(source).replaceAll(String.valueOf(marker));
        if (text.startsWith("#!")) {
            text = "//" + text.substring(2);
        }
        String head = kind == Kind.ENTRY
                ? (async ? "(async function " : "(function ") + Rewrite.ENTRY + "() {\n"
                : "(function " + Rewrite.MODULE + "(module, exports, require) {\n";
        String wrapped = head + text + "\n})";

        Logger.getLogger("com.google.javascript").setLevel(Level.OFF);
        Compiler compiler =
                new Compiler(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        compiler.disableThreads();
        Rewrite rewrite = new Rewrite(compiler, kind, marker);
        CompilerOptions options = options(STRICT.matcher(source).find(), rewrite);
        List<Problem> problems = new ArrayList<>();
        String code = "";
        try {
            compiler.compile(
                    List.of(SourceFile.fromCode("externs", EXTERNS)),
                    List.of(SourceFile.fromCode(path, wrapped)),
                    options);
            for (JSError error : compiler.getErrors()) {
                problems.add(problem(
                        path, error.getLineNumber(), error.getCharno(), error.getDescription(), marker, source));
            }
            if (problems.isEmpty()) {
                code = compiler.toSource();
            }
        } catch (RuntimeException e) {
            // Closure gives up on rare constructs in this way; which one it was, its message quotes at best.
            problems.add(
                    new Problem(
                            path,
                            Math.max(1, rewrite.suspectLine() - 1),
                            1,
                            "this file uses a construct that can't be compiled, such as super in an object literal; write it differently"));
        }
        if (!problems.isEmpty()) {
            boolean needsAsync = problems.stream().anyMatch(p -> p.message().contains("await"));
            return new Attempt(null, problems, needsAsync);
        }
        StringBuilder map = new StringBuilder();
        SourceMap sourceMap = compiler.getSourceMap();
        try {
            sourceMap.appendTo(map, path);
        } catch (IOException e) {
            throw new IllegalStateException("a string builder failed", e);
        }
        int lines = (int) source.lines().count();
        return new Attempt(
                new CompiledScript(hash, expression(code), LineTable.of(map.toString(), 1, Math.max(1, lines))),
                problems,
                false);
    }

    private static String expression(String code) {
        String trimmed = code.stripTrailing();
        return trimmed.endsWith(";") ? trimmed.substring(0, trimmed.length() - 1) : trimmed;
    }

    private static CompilerOptions options(boolean strict, Rewrite rewrite) {
        CompilerOptions options = new CompilerOptions();
        options.setLanguageIn(LanguageMode.UNSTABLE);
        options.setLanguageOut(LanguageMode.ECMASCRIPT5_STRICT);
        options.setSkipNonTranspilationPasses(true);
        options.setRewritePolyfills(false);
        options.setPreventLibraryInjection(true);
        options.setVariableRenaming(VariableRenamingPolicy.OFF);
        options.setPropertyRenaming(PropertyRenamingPolicy.OFF);
        options.setPrettyPrint(true);
        options.setProcessCommonJSModules(false);
        options.setEnvironment(CompilerOptions.Environment.CUSTOM);
        options.setEmitUseStrict(strict);
        options.setSourceMapOutputPath("script.map");
        options.setSourceMapFormat(SourceMap.Format.V3);
        options.setSourceMapDetailLevel(SourceMap.DetailLevel.ALL);
        options.addCustomPass(CustomPassExecutionTime.BEFORE_CHECKS, rewrite);
        WarningLevel.QUIET.setOptionsForWarningLevel(options);
        options.setWarningLevel(DiagnosticGroups.NON_STANDARD_JSDOC, CheckLevel.OFF);
        return options;
    }

    private static Problem problem(
            String path, int wrappedLine, int charno, String description, char marker, String source) {
        int line = Math.max(1, wrappedLine - 1);
        int lines = Math.max(1, (int) source.lines().count());
        String message =
                description.replace(marker, '#').replace("Parse error. ", "").strip();
        if (line > lines) {
            return new Problem(path, lines, 1, message + "; the file ends before it is complete");
        }
        String text = source.lines().skip(line - 1L).findFirst().orElse("");
        if (IMPORT.matcher(text).find()) {
            return new Problem(
                    path, line, 1, "import and export are not supported: use require('./file.js') and module.exports");
        }
        int column = message.startsWith("primary expression") ? tokenBefore(text, charno) : charno;
        return new Problem(path, line, column + 1, explain(message));
    }

    /** Where the token begins that ends at a position: this is how the parser reports one that it did not expect. */
    private static int tokenBefore(String line, int end) {
        int at = Math.min(end, line.length()) - 1;
        while (at > 0
                && Character.isJavaIdentifierPart(line.charAt(at))
                && Character.isJavaIdentifierPart(line.charAt(at - 1))) {
            at--;
        }
        return Math.max(0, at);
    }

    private static final Pattern IMPORT = Pattern.compile("^\\s*(import\\b\\s*[^(\\s.]|export\\b)");

    private static final Pattern FEATURE =
            Pattern.compile("Cannot convert \\S+ feature \"(.*)\" to targeted.*", Pattern.DOTALL);

    private static String explain(String message) {
        Matcher feature = FEATURE.matcher(message);
        if (feature.matches()) {
            return feature.group(1) + " is not supported here";
        }
        int first = message.indexOf(" First occurrence: ");
        if (first > 0) {
            return message.substring(0, first);
        }
        if (message.startsWith("Dynamic import")) {
            return "import() is not supported: use require('./file.js')";
        }
        return message;
    }

    private static char marker(String source) {
        for (int i = 0; i < MARKERS.length(); i++) {
            if (source.indexOf(MARKERS.charAt(i)) < 0) {
                return MARKERS.charAt(i);
            }
        }
        return MARKERS.charAt(0);
    }

    private void keep(CompiledScript script) {
        kept.put(script.hash(), script);
        keptChars += script.weight();
        Iterator<CompiledScript> oldest = kept.values().iterator();
        while (keptChars > KEPT_CHARS && kept.size() > 1) {
            keptChars -= oldest.next().weight();
            oldest.remove();
        }
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
