package sh.fazt.runtime.engine.nashorn;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.PatternSyntaxException;

/**
 * Spells a JavaScript pattern in the syntax of {@code java.util.regex} (ECMA-262, section 22.2). Groups keep their
 * numbers; names become numbers. Used once, by one thread.
 *
 * <p>Known differences: a group inside a repetition keeps the match of an earlier round, a reference to a group that
 * took no part fails instead of matching nothing, and without the flag u a surrogate pair counts as one character.
 */
final class PatternTranslation {
    private static final String SPACES =
            "\\t\\n\\x0B\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff";
    private static final String NEWLINES = "\\n\\r\\u2028\\u2029";
    private static final int LOOKBEHIND_MOST = 1_000;

    private final String source;
    private final boolean unicode;
    private final boolean dotAll;
    private final boolean multiline;
    private final StringBuilder out = new StringBuilder();
    private final Map<String, Integer> names = new LinkedHashMap<>();
    private final int groups;
    private int at;
    private int lookbehinds;
    private final java.util.ArrayDeque<Boolean> open = new java.util.ArrayDeque<>();

    PatternTranslation(String source, boolean unicode, boolean dotAll, boolean multiline) {
        this.source = source;
        this.unicode = unicode;
        this.dotAll = dotAll;
        this.multiline = multiline;
        this.groups = countGroups();
    }

    Map<String, Integer> names() {
        return Map.copyOf(names);
    }

    private int countGroups() {
        int count = 0;
        boolean inClass = false;
        for (int i = 0; i < source.length(); i++) {
            char c = source.charAt(i);
            if (c == '\\') {
                i++;
            } else if (inClass) {
                inClass = c != ']';
            } else if (c == '[') {
                inClass = true;
            } else if (c == '(') {
                if (i + 1 >= source.length() || source.charAt(i + 1) != '?') {
                    count++;
                } else if (source.startsWith("(?<", i)
                        && !source.startsWith("(?<=", i)
                        && !source.startsWith("(?<!", i)) {
                    count++;
                    int end = source.indexOf('>', i);
                    if (end < 0) {
                        throw fail("Invalid capture group name", i);
                    }
                    String name = source.substring(i + 3, end);
                    if (!name.matches("[\\p{L}_$][\\p{L}\\p{N}_$]*")) {
                        throw fail("Invalid capture group name", i);
                    }
                    if (names.put(name, count) != null) {
                        throw fail("Duplicate capture group name", i);
                    }
                }
            }
        }
        return count;
    }

    String java() {
        boolean quantifiable = false;
        while (at < source.length()) {
            char c = source.charAt(at);
            switch (c) {
                case '\\' -> quantifiable = escape(false);
                case '[' -> {
                    characterClass();
                    quantifiable = true;
                }
                case '(' -> {
                    group();
                    quantifiable = false;
                }
                case ')' -> {
                    if (open.isEmpty()) {
                        throw fail("Unmatched ')'", at);
                    }
                    if (open.pop()) {
                        lookbehinds--;
                    }
                    out.append(')');
                    at++;
                    quantifiable = true;
                }
                case '*', '+', '?' -> {
                    quantifier(quantifiable, c == '+' ? 1 : 0, c == '?' ? 1 : -1, 1);
                    quantifiable = false;
                }
                case '{' -> quantifiable = brace(quantifiable);
                case '}', ']' -> {
                    if (unicode) {
                        throw fail("Lone quantifier brackets", at);
                    }
                    out.append('\\').append(c);
                    at++;
                    quantifiable = true;
                }
                case '.' -> {
                    out.append(dotAll ? "[\\s\\S]" : "[^" + NEWLINES + "]");
                    at++;
                    quantifiable = true;
                }
                case '^' -> {
                    out.append(multiline ? "(?<![^" + NEWLINES + "])" : "\\A");
                    at++;
                    quantifiable = false;
                }
                case '$' -> {
                    out.append(multiline ? "(?![^" + NEWLINES + "])" : "\\z");
                    at++;
                    quantifiable = false;
                }
                case '|' -> {
                    out.append('|');
                    at++;
                    quantifiable = false;
                }
                default -> {
                    literal(source.codePointAt(at));
                    at += Character.charCount(source.codePointAt(at));
                    quantifiable = true;
                }
            }
        }
        if (!open.isEmpty()) {
            throw fail("Unterminated group", at);
        }
        return out.toString();
    }

    private PatternSyntaxException fail(String why, int index) {
        return new PatternSyntaxException(why, source, index);
    }

    private void group() {
        if (source.startsWith("(?<=", at) || source.startsWith("(?<!", at)) {
            out.append(source, at, at + 4);
            at += 4;
            lookbehinds++;
            open.push(true);
            return;
        }
        open.push(false);
        if (source.startsWith("(?<", at)) {
            out.append('(');
            at = source.indexOf('>', at) + 1;
        } else if (source.startsWith("(?:", at) || source.startsWith("(?=", at) || source.startsWith("(?!", at)) {
            out.append(source, at, at + 3);
            at += 3;
        } else if (source.startsWith("(?", at)) {
            throw fail("Invalid group", at);
        } else {
            out.append('(');
            at++;
        }
    }

    private void quantifier(boolean quantifiable, int least, int most, int length) {
        // An assertion may be repeated in old patterns: the closing parenthesis of one counts as quantifiable.
        if (!quantifiable) {
            throw fail("Nothing to repeat", at);
        }
        at += length;
        int upper = most < 0 && lookbehinds > 0 ? LOOKBEHIND_MOST : most;
        if (least == 0 && upper == 1) {
            out.append('?');
        } else if (least == 0 && upper < 0) {
            out.append('*');
        } else if (least == 1 && upper < 0) {
            out.append('+');
        } else {
            out.append('{').append(least);
            if (upper != least) {
                out.append(',');
                if (upper >= 0) {
                    out.append(upper);
                }
            }
            out.append('}');
        }
        if (at < source.length() && source.charAt(at) == '?') {
            out.append('?');
            at++;
        }
    }

    private boolean brace(boolean quantifiable) {
        int end = source.indexOf('}', at);
        String inside = end < 0 ? "" : source.substring(at + 1, end);
        if (!inside.matches("\\d+(,\\d*)?")) {
            if (unicode) {
                throw fail("Incomplete quantifier", at);
            }
            out.append("\\{");
            at++;
            return true;
        }
        int comma = inside.indexOf(',');
        int least = bound(comma < 0 ? inside : inside.substring(0, comma));
        int most = comma < 0 ? least : comma == inside.length() - 1 ? -1 : bound(inside.substring(comma + 1));
        if (most >= 0 && most < least) {
            throw fail("numbers out of order in {} quantifier", at);
        }
        quantifier(quantifiable, least, most, end - at + 1);
        return false;
    }

    private static int bound(String digits) {
        return digits.length() > 9 ? Integer.MAX_VALUE : Integer.parseInt(digits);
    }

    private void literal(int codePoint) {
        if (codePoint < 128 && !Character.isLetterOrDigit(codePoint) && codePoint > ' ') {
            out.append('\\').append((char) codePoint);
        } else {
            out.appendCodePoint(codePoint);
        }
    }

    /** Translates an escape; true if what it stands for may be repeated. */
    private boolean escape(boolean inClass) {
        if (at + 1 >= source.length()) {
            throw fail("\\ at end of pattern", at);
        }
        char c = source.charAt(at + 1);
        at += 2;
        switch (c) {
            case 'd' -> out.append(inClass ? "0-9" : "[0-9]");
            case 'D' -> out.append("[^0-9]");
            case 'w' -> out.append(inClass ? "a-zA-Z0-9_" : "[a-zA-Z0-9_]");
            case 'W' -> out.append("[^a-zA-Z0-9_]");
            case 's' -> out.append(inClass ? SPACES : "[" + SPACES + "]");
            case 'S' -> out.append("[^" + SPACES + "]");
            case 'b' -> {
                if (inClass) {
                    out.append("\\x08");
                } else {
                    out.append("(?:(?<![a-zA-Z0-9_])(?=[a-zA-Z0-9_])|(?<=[a-zA-Z0-9_])(?![a-zA-Z0-9_]))");
                    return false;
                }
            }
            case 'B' -> {
                if (inClass) {
                    out.append('B');
                } else {
                    out.append("(?:(?<![a-zA-Z0-9_])(?![a-zA-Z0-9_])|(?<=[a-zA-Z0-9_])(?=[a-zA-Z0-9_]))");
                    return false;
                }
            }
            case 't', 'n', 'f', 'r' -> out.append('\\').append(c);
            case 'v' -> out.append("\\x0B");
            case '0' -> octal(0);
            case '1', '2', '3', '4', '5', '6', '7', '8', '9' -> reference(inClass, c - '0');
            case 'c' -> control();
            case 'x' -> hex(2, 'x');
            case 'u' -> unicodeEscape();
            case 'k' -> namedReference();
            case 'p', 'P' -> property(c);
            default -> {
                if (unicode && (Character.isLetterOrDigit(c) || c == '_')) {
                    throw fail("Invalid escape", at - 2);
                }
                at--;
                int codePoint = source.codePointAt(at);
                literal(codePoint);
                at += Character.charCount(codePoint);
            }
        }
        return true;
    }

    private void octal(int first) {
        int value = first;
        int digits = 1;
        while (!unicode
                && digits < 3
                && at < source.length()
                && source.charAt(at) >= '0'
                && source.charAt(at) <= '7'
                && value < 32) {
            value = value * 8 + source.charAt(at) - '0';
            at++;
            digits++;
        }
        codeUnit(value);
    }

    private void reference(boolean inClass, int first) {
        int number = first;
        int end = at;
        while (end < source.length() && Character.isDigit(source.charAt(end)) && number * 10 <= groups) {
            int next = number * 10 + source.charAt(end) - '0';
            if (next > groups) {
                break;
            }
            number = next;
            end++;
        }
        if (!inClass && number <= groups) {
            at = end;
            out.append("(?:\\").append(number).append(')');
        } else if (unicode) {
            throw fail("Invalid escape", at - 2);
        } else if (first < 8) {
            octal(first);
        } else {
            out.append((char) ('0' + first));
        }
    }

    private void control() {
        if (at < source.length() && Character.toString(source.charAt(at)).matches("[a-zA-Z]")) {
            codeUnit(source.charAt(at) & 31);
            at++;
        } else {
            out.append("\\\\c");
        }
    }

    private void hex(int digits, char otherwise) {
        int value = 0;
        if (at + digits > source.length()) {
            literal(otherwise);
            return;
        }
        for (int i = 0; i < digits; i++) {
            int digit = Character.digit(source.charAt(at + i), 16);
            if (digit < 0) {
                literal(otherwise);
                return;
            }
            value = value * 16 + digit;
        }
        at += digits;
        if (digits == 4 && Character.isHighSurrogate((char) value) && source.startsWith("\\u", at)) {
            int low = pair();
            if (low >= 0) {
                at += 6;
                out.append(String.format(Locale.ROOT, "\\x{%x}", Character.toCodePoint((char) value, (char) low)));
                return;
            }
        }
        codeUnit(value);
    }

    private int pair() {
        if (at + 6 > source.length()) {
            return -1;
        }
        int value = 0;
        for (int i = 2; i < 6; i++) {
            int digit = Character.digit(source.charAt(at + i), 16);
            if (digit < 0) {
                return -1;
            }
            value = value * 16 + digit;
        }
        return Character.isLowSurrogate((char) value) ? value : -1;
    }

    private void unicodeEscape() {
        if (unicode && at < source.length() && source.charAt(at) == '{') {
            int end = source.indexOf('}', at);
            String digits = end < 0 ? "" : source.substring(at + 1, end);
            if (!digits.matches("[0-9a-fA-F]{1,6}") || Integer.parseInt(digits, 16) > Character.MAX_CODE_POINT) {
                throw fail("Invalid Unicode escape", at);
            }
            at = end + 1;
            codeUnit(Integer.parseInt(digits, 16));
            return;
        }
        hex(4, 'u');
    }

    private void codeUnit(int value) {
        out.append(String.format(Locale.ROOT, value > 0xffff ? "\\x{%x}" : "\\u%04x", value));
    }

    private void namedReference() {
        int end = at < source.length() && source.charAt(at) == '<' ? source.indexOf('>', at) : -1;
        Integer group = end < 0 ? null : names.get(source.substring(at + 1, end));
        if (group == null) {
            if (unicode || !names.isEmpty()) {
                throw fail("Invalid named reference", at);
            }
            out.append('k');
            return;
        }
        at = end + 1;
        out.append("(?:\\").append(group).append(')');
    }

    private void property(char letter) {
        int end = at < source.length() && source.charAt(at) == '{' ? source.indexOf('}', at) : -1;
        if (!unicode || end < 0) {
            if (unicode) {
                throw fail("Invalid property name", at);
            }
            out.append(letter);
            return;
        }
        String name = source.substring(at + 1, end);
        at = end + 1;
        out.append(UnicodeProperties.java(name, letter == 'P'));
    }

    private void characterClass() {
        at++;
        boolean negated = at < source.length() && source.charAt(at) == '^';
        if (negated) {
            at++;
        }
        if (at < source.length() && source.charAt(at) == ']') {
            at++;
            out.append(negated ? "[\\s\\S]" : "(?!)");
            return;
        }
        out.append(negated ? "[^" : "[");
        while (true) {
            if (at >= source.length()) {
                throw fail("Unterminated character class", at);
            }
            char c = source.charAt(at);
            if (c == ']') {
                at++;
                out.append(']');
                return;
            }
            int before = out.length();
            boolean set = c == '\\' && at + 1 < source.length() && "dDwWsSpP".indexOf(source.charAt(at + 1)) >= 0;
            member();
            boolean range = at + 1 < source.length() && source.charAt(at) == '-' && source.charAt(at + 1) != ']';
            if (!range) {
                continue;
            }
            boolean setAfter = source.charAt(at + 1) == '\\'
                    && at + 2 < source.length()
                    && "dDwWsSpP".indexOf(source.charAt(at + 2)) >= 0;
            at++;
            if (set || setAfter) {
                out.append("\\-");
                continue;
            }
            int middle = out.length();
            out.append('-');
            member();
            if (value(before, middle) > value(middle + 1, out.length())) {
                throw fail("Range out of order in character class", at);
            }
        }
    }

    private void member() {
        if (source.charAt(at) == '\\') {
            escape(true);
            return;
        }
        int codePoint = source.codePointAt(at);
        literal(codePoint);
        at += Character.charCount(codePoint);
    }

    /** The character that a piece of output stands for, or -1. */
    private int value(int from, int to) {
        String piece = out.substring(from, to);
        if (piece.startsWith("\\x{")) {
            return Integer.parseInt(piece.substring(3, piece.length() - 1), 16);
        }
        if (piece.startsWith("\\u") || piece.startsWith("\\x")) {
            return Integer.parseInt(piece.substring(2), 16);
        }
        if (piece.startsWith("\\")) {
            return switch (piece.charAt(1)) {
                case 't' -> '\t';
                case 'n' -> '\n';
                case 'f' -> '\f';
                case 'r' -> '\r';
                default -> piece.charAt(1);
            };
        }
        return piece.codePointAt(0);
    }
}
