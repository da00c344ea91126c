package sh.fazt.runtime.engine.nashorn;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.openjdk.nashorn.internal.objects.Global;
import org.openjdk.nashorn.internal.runtime.FunctionScope;
import org.openjdk.nashorn.internal.runtime.Property;
import org.openjdk.nashorn.internal.runtime.PropertyMap;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import org.openjdk.nashorn.internal.runtime.SpillProperty;
import org.openjdk.nashorn.internal.runtime.UserAccessorProperty;
import org.openjdk.nashorn.internal.scripts.JO;

/**
 * Plain objects by the order of their keys. Adding a property to an object costs the engine a microsecond; objects that
 * are made here get all of theirs at once, through a property map that is made once. One per realm; used by its thread.
 */
final class Shapes {
    /** Beyond, shapes are not kept: data whose keys never repeat must not fill the memory. */
    private static final int MOST_KEPT = 4_000;

    private static final int MOST_PLANS = 1_000;

    /** Literals and instances have classes that the engine makes, by the number of their fields: JO4 and so on. */
    private static final ClassValue<Boolean> RECORDS = new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            return type.getName().startsWith("org.openjdk.nashorn.internal.scripts.JO")
                    && !FunctionScope.class.isAssignableFrom(type);
        }
    };

    private final ScriptObject objectProto;
    private final ScriptObject arrayProto;
    private final int keysOfArrays;
    private final Shape root;
    private final Map<PropertyMap, Plan> plans = new IdentityHashMap<>();
    private int kept;

    /** For the current global. */
    Shapes() {
        ScriptObject array = Global.allocate(new Object[0]);
        this.objectProto = HostFunctions.global().getObjectPrototype();
        this.arrayProto = array.getProto();
        this.keysOfArrays = array.getMap().size();
        this.root = new Shape(JO.getInitialMap(), 0, objectProto);
    }

    /** Whether somebody taught plain objects or arrays how to write themselves. */
    boolean hasToJson() {
        return objectProto.has("toJSON") || arrayProto.has("toJSON");
    }

    /** Whether it is an array to which nothing was added. */
    boolean isPlainArray(ScriptObject object) {
        return object.isArray()
                && object.getProto() == arrayProto
                && object.getMap().size() == keysOfArrays;
    }

    /** A sequence of keys. */
    static final class Shape {
        private final PropertyMap map;
        private final int size;
        private final ScriptObject proto;
        private @Nullable Map<String, Shape> next;
        private @Nullable String likelyKey;
        private @Nullable Shape likely;

        Shape(PropertyMap map, int size, ScriptObject proto) {
            this.map = map;
            this.size = size;
            this.proto = proto;
        }

        int size() {
            return size;
        }

        /** The key that followed this shape the last time, or empty. */
        String likelyKey() {
            return likelyKey == null ? "" : likelyKey;
        }
    }

    Shape empty() {
        return root;
    }

    /** No keys yet, and another prototype: the engine tells prototypes apart by property maps, so this has its own. */
    static Shape empty(ScriptObject proto) {
        return new Shape(PropertyMap.newMap(JO.class), 0, proto);
    }

    /** The shape with one key more, which it must not have yet. */
    Shape with(Shape shape, String key) {
        if (shape.likely != null && key.equals(shape.likelyKey)) {
            return shape.likely;
        }
        Shape found = shape.next == null ? null : shape.next.get(key);
        if (found == null) {
            found = new Shape(
                    shape.map.addProperty(new SpillProperty(key, 0, shape.map.size(), Object.class)),
                    shape.size + 1,
                    shape.proto);
            if (kept >= MOST_KEPT) {
                return found;
            }
            kept++;
            if (shape.next == null) {
                shape.next = new HashMap<>(4);
            }
            shape.next.put(key, found);
        }
        shape.likelyKey = key;
        shape.likely = found;
        return found;
    }

    boolean has(Shape shape, String key) {
        return shape.map.findProperty(key) != null;
    }

    Shape of(String... keys) {
        Shape shape = root;
        for (String key : keys) {
            shape = with(shape, key);
        }
        return shape;
    }

    /** An object with these values, one per key; the array becomes part of it. */
    ScriptObject make(Shape shape, Object[] values) {
        ScriptObject object = new JO(shape.map, null, values);
        object.setInitialProto(shape.proto);
        return object;
    }

    /** Whether it holds properties only, whatever its class. */
    boolean isRecord(ScriptObject object) {
        return RECORDS.get(object.getClass()) && object.getArray().length() == 0;
    }

    /** How to read an object with a certain property map: what is enumerable and holds data. */
    static final class Plan {
        /** For objects that have to be read in the ordinary way. */
        static final Plan NONE = new Plan(new Property[0], new String[0]);

        final Property[] properties;
        final String[] keys;

        Plan(Property[] properties, String[] keys) {
            this.properties = properties;
            this.keys = keys;
        }
    }

    boolean isPlain(ScriptObject object) {
        return object.getProto() == objectProto && isRecord(object);
    }

    /** The plan for a plain object; {@link Plan#NONE} if it has accessors, hidden or symbol keys. */
    Plan plan(ScriptObject object) {
        PropertyMap map = object.getMap();
        Plan plan = plans.get(map);
        if (plan == null) {
            plan = make(map);
            if (plans.size() >= MOST_PLANS) {
                plans.clear();
            }
            plans.put(map, plan);
        }
        return plan;
    }

    private static Plan make(PropertyMap map) {
        Property[] properties = map.getProperties();
        String[] keys = new String[properties.length];
        for (int i = 0; i < properties.length; i++) {
            Property property = properties[i];
            if (property instanceof UserAccessorProperty
                    || !property.isEnumerable()
                    || !(property.getKey() instanceof String key)) {
                return Plan.NONE;
            }
            keys[i] = key;
        }
        return new Plan(properties, keys);
    }
}
