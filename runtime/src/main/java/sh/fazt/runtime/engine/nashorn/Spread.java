package sh.fazt.runtime.engine.nashorn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.nashorn.internal.runtime.JSType;
import org.openjdk.nashorn.internal.runtime.PropertyMap;
import org.openjdk.nashorn.internal.runtime.ScriptFunction;
import org.openjdk.nashorn.internal.runtime.ScriptObject;
import sh.fazt.runtime.engine.nashorn.Shapes.Plan;
import sh.fazt.runtime.engine.nashorn.Shapes.Shape;

/**
 * {@code {...a, b: 1}}, which the compiler writes as a call of this. Remembers for each sequence of property maps
 * where each value goes. One per realm; used by its thread.
 */
final class Spread {
    private static final int MOST_KEPT = 1_000;

    private final Shapes shapes;
    private final ScriptFunction assign;
    private final Map<List<PropertyMap>, Merge> merges = new HashMap<>();

    Spread(Shapes shapes, ScriptFunction assign) {
        this.shapes = shapes;
        this.assign = assign;
    }

    /** Where the values of a sequence of sources go. */
    private record Merge(Shape shape, List<Plan> plans, int[][] slots) {}

    Object call(Object self, Object[] sources) {
        PropertyMap[] maps = new PropertyMap[sources.length];
        for (int i = 0; i < sources.length; i++) {
            if (!(sources[i] instanceof ScriptObject object)
                    || !shapes.isPlain(object)
                    || (shapes.plan(object) == Plan.NONE)) {
                return slowly(sources);
            }
            maps[i] = object.getMap();
        }
        List<PropertyMap> key = Arrays.asList(maps);
        Merge merge = merges.get(key);
        if (merge == null) {
            merge = merge(sources);
            if (merges.size() >= MOST_KEPT) {
                merges.clear();
            }
            merges.put(key, merge);
        }
        Object[] values = new Object[merge.shape.size()];
        for (int i = 0; i < sources.length; i++) {
            ScriptObject source = (ScriptObject) sources[i];
            Plan plan = merge.plans.get(i);
            int[] slots = merge.slots[i];
            for (int j = 0; j < slots.length; j++) {
                values[slots[j]] = plan.properties[j].getObjectValue(source, source);
            }
        }
        return shapes.make(merge.shape, values);
    }

    private Merge merge(Object[] sources) {
        Shape shape = shapes.empty();
        Map<String, Integer> places = new HashMap<>();
        List<Plan> plans = new ArrayList<>();
        int[][] slots = new int[sources.length][];
        for (int i = 0; i < sources.length; i++) {
            Plan plan = shapes.plan((ScriptObject) sources[i]);
            plans.add(plan);
            slots[i] = new int[plan.keys.length];
            for (int j = 0; j < plan.keys.length; j++) {
                Integer place = places.get(plan.keys[j]);
                if (place == null) {
                    place = shape.size();
                    places.put(plan.keys[j], place);
                    shape = shapes.with(shape, plan.keys[j]);
                }
                slots[i][j] = place;
            }
        }
        return new Merge(shape, plans, slots);
    }

    private Object slowly(Object[] sources) {
        Object[] arguments = new Object[sources.length + 1];
        arguments[0] = HostFunctions.object();
        for (int i = 0; i < sources.length; i++) {
            // A spread string gives its characters, as assign does; everything else that is no object gives nothing.
            boolean counts = sources[i] instanceof ScriptObject || JSType.isString(sources[i]);
            arguments[i + 1] = counts ? sources[i] : HostFunctions.UNDEFINED;
        }
        return HostFunctions.apply(assign, arguments);
    }
}
