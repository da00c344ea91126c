package sh.fazt.runtime.engine.nashorn;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.openjdk.nashorn.internal.runtime.regexp.RegExp;
import org.openjdk.nashorn.internal.runtime.regexp.RegExpMatcher;
import sh.fazt.runtime.sandbox.Meter;

/**
 * Regular expressions on {@code java.util.regex}, over text that polls the meter, so that a catastrophic one ends with
 * the budget. Adds the flags s, u and y, named groups, lookbehind and properties. Immutable; thread-safe.
 */
final class JsRegExp extends RegExp {
    private final String flags;
    private final boolean sticky;
    private final Pattern pattern;
    private final Map<String, Integer> names;

    JsRegExp(String source, String flags) {
        super(source, known(flags));
        this.flags = flags;
        this.sticky = flags.indexOf('y') >= 0;
        PatternTranslation translation =
                new PatternTranslation(source, flags.indexOf('u') >= 0, flags.indexOf('s') >= 0, isMultiline());
        try {
            String java = translation.java();
            this.pattern = Pattern.compile(java, isIgnoreCase() ? Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE : 0);
        } catch (PatternSyntaxException e) {
            throwParserException("syntax", "Invalid regular expression: /" + source + "/: " + e.getDescription());
            throw e;
        } catch (StackOverflowError e) {
            throwParserException("syntax", "Invalid regular expression: nested too deeply");
            throw e;
        }
        this.names = translation.names();
    }

    /** The flags that the base class knows; refuses unknown and repeated ones. */
    private static String known(String flags) {
        StringBuilder old = new StringBuilder();
        for (int i = 0; i < flags.length(); i++) {
            char flag = flags.charAt(i);
            if ("suyd".indexOf(flag) < 0) {
                old.append(flag);
            } else if (flags.indexOf(flag) != i) {
                throwParserException("repeated.flag", String.valueOf(flag));
            }
        }
        return old.toString();
    }

    String flags() {
        return flags;
    }

    Map<String, Integer> names() {
        return names;
    }

    boolean sticky() {
        return sticky;
    }

    /** Sticky expressions use {@code lastIndex} as global ones do. */
    @Override
    public boolean isGlobal() {
        return super.isGlobal() || sticky;
    }

    @Override
    public RegExpMatcher match(String text) {
        return new Match(text);
    }

    private final class Match implements RegExpMatcher {
        private final String input;
        private final Matcher matcher;

        Match(String input) {
            this.input = input;
            this.matcher = pattern.matcher(new PolledText(input, 0, input.length()));
            matcher.useAnchoringBounds(false);
            matcher.useTransparentBounds(true);
        }

        @Override
        public boolean search(int start) {
            if (start > input.length()) {
                return false;
            }
            matcher.region(start, input.length());
            return sticky ? matcher.lookingAt() : matcher.find();
        }

        @Override
        public String getInput() {
            return input;
        }

        @Override
        public int start() {
            return matcher.start();
        }

        @Override
        public int start(int group) {
            return matcher.start(group);
        }

        @Override
        public int end() {
            return matcher.end();
        }

        @Override
        public int end(int group) {
            return matcher.end(group);
        }

        @Override
        public String group() {
            return input.substring(matcher.start(), matcher.end());
        }

        @Override
        @SuppressWarnings("NullAway") // as the JDK's: null for a group that took no part
        public String group(int group) {
            int from = matcher.start(group);
            return from < 0 ? null : input.substring(from, matcher.end(group));
        }

        @Override
        public int groupCount() {
            return matcher.groupCount();
        }
    }

    /** The text as the matcher sees it. Confined to one match. */
    private static final class PolledText implements CharSequence {
        private final String text;
        private final int from;
        private final int to;
        private int looks;

        PolledText(String text, int from, int to) {
            this.text = text;
            this.from = from;
            this.to = to;
        }

        @Override
        public int length() {
            return to - from;
        }

        @Override
        public char charAt(int index) {
            if ((++looks & 1023) == 0) {
                Meter.poll();
            }
            return text.charAt(from + index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new PolledText(text, from + start, from + end);
        }

        @Override
        public String toString() {
            return text.substring(from, to);
        }
    }
}
