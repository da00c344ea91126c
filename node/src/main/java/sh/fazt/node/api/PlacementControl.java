package sh.fazt.node.api;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;

/** The port through which the control plane sees and says where apps are kept. Thread-safe. */
public interface PlacementControl {
    /** Where apps are kept. */
    CompletionStage<Outcome<Placements>> placements();

    /** Has every member keep an app, by name or id; the lazy ones fetch its files when somebody asks for them. */
    CompletionStage<Outcome<Placements>> everywhere(String app, List<String> lazy);

    /** Has some members, by name or id, keep an app, some more lazily, and no others. */
    CompletionStage<Outcome<Placements>> on(String app, List<String> nodes, List<String> lazy);

    /** Has the members with a label, as {@code key=value}, keep an app, and some lazily. */
    CompletionStage<Outcome<Placements>> byLabel(String app, String label, List<String> lazy);

    /** Sets labels of a member, as {@code key=value}, or takes them off, as {@code key-}. */
    CompletionStage<Outcome<Placements>> label(String node, List<String> changes);

    /** Has all files fetched that this node lacks of an app, by name or id, or of all when it is null. */
    CompletionStage<Outcome<Syncing>> sync(@Nullable String app);

    /** How far that is, or how it ended the last time. */
    CompletionStage<Outcome<Syncing>> syncing();

    /**
     * How far this node is with fetching what it lacks. Immutable.
     *
     * @param running  whether it goes on
     * @param all      what was lacking when it began
     * @param got      what of that is here now
     * @param from     bytes that came from each member meanwhile
     * @param missing  the first hundred that can't be had
     * @param lost     how many can't be had
     */
    record Syncing(
            boolean running,
            SwarmControl.HeldBack all,
            SwarmControl.HeldBack got,
            Map<Named, Long> from,
            List<Missing> missing,
            long lost) {
        public Syncing {
            from = Map.copyOf(from);
            missing = List.copyOf(missing);
        }
    }

    /** A blob that can't be had. @param files what it is, as {@code shop/film.mp4}; empty when no release has it */
    record Missing(String hash, List<String> files) {
        public Missing {
            files = List.copyOf(files);
        }
    }

    /** Who keeps an app, by name or id, that is not kept here; null when it is, or when nobody knows it. */
    @Nullable
    Elsewhere elsewhere(String app);

    /**
     * An app that other members keep. Immutable.
     *
     * @param holders who does, by name
     */
    record Elsewhere(Named app, List<String> holders) {
        public Elsewhere {
            holders = List.copyOf(holders);
        }

        /** For whoever wants something of it here. */
        public String text() {
            return app.name() + " is not kept on this node: ask " + String.join(" or ", holders)
                    + ", or have it kept here by \"fazt swarm place " + app.name() + " all\"";
        }
    }

    /**
     * Where apps are kept. Immutable.
     *
     * @param apps    those that were placed; everybody keeps any other
     * @param labels  of each member that has some
     * @param leaving apps that are here until somebody who is to keep them has all of them
     */
    record Placements(List<Placed> apps, Map<Named, Map<String, String>> labels, List<Named> leaving) {
        public Placements {
            apps = List.copyOf(apps);
            leaving = List.copyOf(leaving);
        }
    }

    /**
     * Where one app is kept. Immutable.
     *
     * @param rule    {@code all}, {@code on home, vps} or {@code label disk=big}, and {@code , lazy on phone}
     * @param holders who keeps it by that rule
     */
    record Placed(Named app, String rule, List<Holder> holders) {
        public Placed {
            holders = List.copyOf(holders);
        }
    }

    /**
     * A member that keeps an app.
     *
     * @param behind transactions that it lacks of what is here; null when that is not known
     * @param lazy   whether it fetches files when somebody asks for them
     */
    record Holder(Named node, @Nullable Long behind, boolean lazy) {}
}
