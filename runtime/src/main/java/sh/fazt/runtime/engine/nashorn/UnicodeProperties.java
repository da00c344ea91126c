package sh.fazt.runtime.engine.nashorn;

import java.util.Map;
import java.util.regex.PatternSyntaxException;

/** What {@code \p{…}} may name. Stateless. */
final class UnicodeProperties {
    private static final Map<String, String> CATEGORIES = Map.ofEntries(
            Map.entry("Letter", "L"),
            Map.entry("Cased_Letter", "LC"),
            Map.entry("Uppercase_Letter", "Lu"),
            Map.entry("Lowercase_Letter", "Ll"),
            Map.entry("Titlecase_Letter", "Lt"),
            Map.entry("Modifier_Letter", "Lm"),
            Map.entry("Other_Letter", "Lo"),
            Map.entry("Mark", "M"),
            Map.entry("Nonspacing_Mark", "Mn"),
            Map.entry("Spacing_Mark", "Mc"),
            Map.entry("Enclosing_Mark", "Me"),
            Map.entry("Number", "N"),
            Map.entry("Decimal_Number", "Nd"),
            Map.entry("Letter_Number", "Nl"),
            Map.entry("Other_Number", "No"),
            Map.entry("Punctuation", "P"),
            Map.entry("punct", "P"),
            Map.entry("Connector_Punctuation", "Pc"),
            Map.entry("Dash_Punctuation", "Pd"),
            Map.entry("Open_Punctuation", "Ps"),
            Map.entry("Close_Punctuation", "Pe"),
            Map.entry("Initial_Punctuation", "Pi"),
            Map.entry("Final_Punctuation", "Pf"),
            Map.entry("Other_Punctuation", "Po"),
            Map.entry("Symbol", "S"),
            Map.entry("Math_Symbol", "Sm"),
            Map.entry("Currency_Symbol", "Sc"),
            Map.entry("Modifier_Symbol", "Sk"),
            Map.entry("Other_Symbol", "So"),
            Map.entry("Separator", "Z"),
            Map.entry("Space_Separator", "Zs"),
            Map.entry("Line_Separator", "Zl"),
            Map.entry("Paragraph_Separator", "Zp"),
            Map.entry("Other", "C"),
            Map.entry("Control", "Cc"),
            Map.entry("Format", "Cf"),
            Map.entry("Surrogate", "Cs"),
            Map.entry("Private_Use", "Co"),
            Map.entry("Unassigned", "Cn"));

    private static final Map<String, String> BINARY = Map.of(
            "Alphabetic", "IsAlphabetic",
            "Alpha", "IsAlphabetic",
            "Uppercase", "IsUppercase",
            "Lowercase", "IsLowercase",
            "White_Space", "IsWhite_Space",
            "Ideographic", "IsIdeographic",
            "ASCII_Hex_Digit", "XDigit",
            "ASCII", "ASCII");

    /** Java 17 has no emoji properties: the blocks that hold them. */
    private static final String EMOJI =
            "\\u00a9\\u00ae\\u203c\\u2049\\u2122\\u2139\\u2194-\\u21aa\\u231a-\\u23ff\\u24c2\\u25aa-\\u27bf\\u2934\\u2935"
                    + "\\u2b05-\\u2b55\\u3030\\u303d\\u3297\\u3299\\x{1f000}-\\x{1faff}";

    private UnicodeProperties() {}

    static String java(String name, boolean negated) {
        String letter = negated ? "\\P{" : "\\p{";
        int equals = name.indexOf('=');
        if (equals > 0) {
            String key = name.substring(0, equals);
            String value = name.substring(equals + 1);
            return switch (key) {
                case "Script", "sc", "Script_Extensions", "scx" -> letter + "Is" + value + "}";
                case "General_Category", "gc" -> letter + CATEGORIES.getOrDefault(value, value) + "}";
                default -> throw new PatternSyntaxException("Invalid property name", name, 0);
            };
        }
        if (name.equals("Any")) {
            return negated ? "[^\\x{0}-\\x{10ffff}]" : "[\\x{0}-\\x{10ffff}]";
        }
        if (name.startsWith("Emoji") || name.equals("Extended_Pictographic")) {
            return (negated ? "[^" : "[") + EMOJI + "]";
        }
        String binary = BINARY.get(name);
        if (binary != null) {
            return letter + binary + "}";
        }
        String category = CATEGORIES.getOrDefault(name, name);
        if (!CATEGORIES.containsValue(category)) {
            throw new PatternSyntaxException("Invalid property name", name, 0);
        }
        return letter + category + "}";
    }
}
