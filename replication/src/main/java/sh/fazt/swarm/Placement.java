package sh.fazt.swarm;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where one app is kept. Immutable.
 *
 * @param app     its id, and the name that it had when it was placed
 * @param rule    "all", "on home, vps" or "label disk=big", and ", lazy on phone" where some keep it so
 * @param holders the members that keep it by that rule
 */
public record Placement(SwarmView.Named app, String rule, List<Holder> holders) {
    public Placement {
        holders = List.copyOf(holders);
    }

    /**
     * A member that keeps an app.
     *
     * @param behind transactions that it lacks of what is here; 0 for this node, null when it is not linked, or when
     *     this node has nothing of the app to compare with
     * @param lazy   whether it fetches blobs when somebody asks for them
     */
    public record Holder(SwarmView.Named node, @Nullable Long behind, boolean lazy) {}

    /**
     * What is known of placement here. Immutable.
     *
     * @param apps   those that were placed; everybody keeps any other
     * @param labels of each member that has some
     * @param leaving apps that are placed elsewhere but are here still, until a holder has all of them
     */
    public record View(
            List<Placement> apps, Map<SwarmView.Named, Map<String, String>> labels, List<SwarmView.Named> leaving) {
        public View {
            apps = List.copyOf(apps);
            labels = Map.copyOf(labels);
            leaving = List.copyOf(leaving);
        }
    }
}
