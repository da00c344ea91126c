package sh.fazt.hosting.document;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a document has to say to be found: all of its conditions hold. Equality knows types: 1 is not "1". What is
 * missing, and null, equals nothing; so {@code $ne} and {@code $nin} include what is missing. Values of different
 * types are neither less nor greater. Immutable.
 */
final class DocumentQuery {
    static final String ID = "id";

    private static final String OPERATORS = "$eq, $ne, $gt, $gte, $lt, $lte, $in, $nin and $contains";

    private record Condition(
            FieldPath path, String operator, @Nullable Object operand) {
        boolean holds(Function<String, @Nullable Object> document) {
            Object value = path.get(document);
            return switch (operator) {
                case "$eq" -> equal(value, operand);
                case "$ne" -> !equal(value, operand);
                case "$in" -> among(value, operand);
                case "$nin" -> !among(value, operand);
                case "$contains" ->
                    value instanceof List<?> list
                            ? list.stream().anyMatch(item -> equal(item, operand))
                            : equal(value, operand);
                default -> compared(value);
            };
        }

        private boolean compared(@Nullable Object value) {
            int order;
            if (value instanceof Double mine && operand instanceof Double other) {
                order = mine < other ? -1 : mine > other ? 1 : 0;
            } else if (value instanceof String mine && operand instanceof String other) {
                order = mine.compareTo(other);
            } else {
                return false;
            }
            return switch (operator) {
                case "$gt" -> order > 0;
                case "$gte" -> order >= 0;
                case "$lt" -> order < 0;
                default -> order <= 0;
            };
        }
    }

    private static boolean equal(@Nullable Object value, @Nullable Object operand) {
        if (value instanceof Double mine && operand instanceof Double other) {
            return mine.doubleValue() == other.doubleValue();
        }
        return value != null && value.equals(operand);
    }

    private static boolean among(@Nullable Object value, @Nullable Object operand) {
        return operand instanceof List<?> list && list.stream().anyMatch(item -> equal(value, item));
    }

    private final List<Condition> conditions = new ArrayList<>();

    private DocumentQuery() {}

    /** Reads a query; fails with {@code INVALID} and what is allowed. */
    static DocumentQuery parse(String json) {
        DocumentQuery query = new DocumentQuery();
        JsonText.readObject(json, "a query").forEach(query::add);
        return query;
    }

    private void add(String name, @Nullable Object value) {
        if (name.startsWith("$")) {
            throw JsonText.invalid("unknown operator: " + JsonText.brief(name) + "; a query names fields, such as"
                    + " {age: {$gt: 17}}, and all of its conditions have to hold. There are " + OPERATORS);
        }
        FieldPath path = FieldPath.parse(name);
        if (!(value instanceof Map<?, ?> operators)) {
            conditions.add(new Condition(path, "$eq", scalar(name, value)));
            return;
        }
        if (operators.isEmpty()) {
            throw nested(name, value);
        }
        JsonText.asObject(operators).forEach((operator, operand) -> {
            if (!operator.startsWith("$")) {
                throw nested(name, value);
            }
            conditions.add(new Condition(path, operator, operand(name, operator, operand)));
        });
    }

    private static @Nullable Object operand(String name, String operator, @Nullable Object operand) {
        switch (operator) {
            case "$in", "$nin" -> {
                if (!(operand instanceof List<?> list)) {
                    throw JsonText.invalid(operator + " requires an array, and that of \"" + name + "\" is "
                            + JsonText.brief(operand));
                }
                list.forEach(item -> scalar(name, item));
                if (operator.equals("$nin") && list.contains(null)) {
                    throw noNull(name, operator);
                }
            }
            case "$ne" -> {
                if (operand == null) {
                    throw noNull(name, operator);
                }
                scalar(name, operand);
            }
            case "$eq", "$gt", "$gte", "$lt", "$lte", "$contains" -> scalar(name, operand);
            default ->
                throw JsonText.invalid("unknown operator: " + JsonText.brief(operator) + ", of \"" + name
                        + "\"; there are " + OPERATORS);
        }
        return operand;
    }

    private static RuntimeException noNull(String name, String operator) {
        return JsonText.invalid("the " + operator + " of \"" + name
                + "\" is null or undefined, which equals nothing: every document would be found");
    }

    private static @Nullable Object scalar(String name, @Nullable Object value) {
        if (value instanceof Map || value instanceof List) {
            throw nested(name, value);
        }
        return value;
    }

    private static RuntimeException nested(String name, @Nullable Object value) {
        return JsonText.invalid("\"" + name + "\" is compared with " + JsonText.brief(value)
                + ", but only with texts, numbers and booleans can be: name what is inside (\"" + name
                + ".x\", \"" + name + "[0]\"), or use one of " + OPERATORS);
    }

    /** The one document that it can only mean. */
    Optional<String> id() {
        return conditions.stream()
                .filter(one ->
                        one.path().text().equals(ID) && one.operator().equals("$eq") && one.operand() instanceof String)
                .map(one -> (String) one.operand())
                .findFirst();
    }

    /** @param document its fields by name; null where there is none */
    boolean matches(Function<String, @Nullable Object> document) {
        return conditions.stream().allMatch(one -> one.holds(document));
    }
}
