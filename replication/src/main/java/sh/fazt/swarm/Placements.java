package sh.fazt.swarm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.PlacementRecord;
import sh.fazt.sync.Holders;
import sh.fazt.sync.SyncService;

/**
 * Which members keep which app, as is agreed. What is not placed, and what is placed on members that are all gone, is
 * kept by everybody: no app is ever on no node. Thread-safe; what changes something blocks.
 */
public final class Placements implements Holders {
    private static final Pattern WORD = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,62})");

    private final OwnKey own;
    private final Records records;
    private final Members members;
    private final Agreement agreement;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();

    /** By scope; replaced as a whole. */
    private volatile Map<String, Kept> kept = Map.of();

    /**
     * Who keeps an app.
     *
     * @param lazy those of them that fetch its blobs when somebody asks for them
     */
    private record Kept(Set<NodeId> all, Set<NodeId> lazy) {
        boolean isOnly(NodeId node) {
            return all.contains(node) && all.size() - lazy.size() == 1 && !lazy.contains(node);
        }
    }

    Placements(OwnKey own, Records records, Members members, Agreement agreement) {
        this.own = own;
        this.records = records;
        this.members = members;
        this.agreement = agreement;
    }

    @Override
    public boolean holds(NodeId node, Scope scope) {
        Kept those = kept.get(scope.id());
        return those == null || those.all().contains(own.is(node) ? self() : node);
    }

    private NodeId self() {
        return own.key().id();
    }

    @Override
    public Set<Scope> lazy() {
        NodeId self = self();
        return kept.entrySet().stream()
                .filter(entry -> entry.getValue().lazy().contains(self))
                .map(entry -> new Scope(entry.getKey()))
                .collect(Collectors.toSet());
    }

    /** Whether this node keeps an app. */
    public boolean here(String app) {
        return holds(self(), new Scope(app));
    }

    /** Told, on any thread, that apps are kept elsewhere now; must hand over and return. */
    public void listen(Runnable listener) {
        listeners.add(listener);
    }

    /** Something was agreed, or somebody came or went. */
    void follow() {
        Map<NodeId, MemberRecord> all = members.all();
        Map<String, Kept> now = new HashMap<>();
        records.placements().forEach((app, placement) -> {
            Kept those = those(placement, all);
            if (!those.all().isEmpty()) {
                now.put(app, those);
            }
        });
        if (!now.equals(kept)) {
            kept = Map.copyOf(now);
            listeners.forEach(Runnable::run);
        }
    }

    /** Nobody when it says nothing of members that there are: then everybody keeps it. */
    private static Kept those(PlacementRecord placement, Map<NodeId, MemberRecord> members) {
        Set<NodeId> those = new LinkedHashSet<>();
        Set<NodeId> lazy = new LinkedHashSet<>();
        boolean anywhere =
                placement.getNodesCount() == 0 && placement.getLabel().isEmpty();
        members.forEach((id, member) -> {
            if (placement.getLazyList().contains(id.toString())) {
                those.add(id);
                lazy.add(id);
            } else if (anywhere
                    ? placement.getLazyCount() > 0
                    : placement.getLabel().isEmpty()
                            ? placement.getNodesList().contains(id.toString())
                            : has(member, placement.getLabel())) {
                those.add(id);
            }
        });
        // Somebody has to have all of it.
        return new Kept(those, lazy.size() == those.size() ? Set.of() : lazy);
    }

    private static boolean has(MemberRecord member, String label) {
        String[] parts = label.split("=", 2);
        return parts.length == 2 && parts[1].equals(member.getLabelsMap().get(parts[0]));
    }

    /** What an app is called that is kept elsewhere, and who keeps it: by its name or its id. */
    public @Nullable Placement elsewhere(String app) {
        for (Map.Entry<String, PlacementRecord> entry : records.placements().entrySet()) {
            boolean meant =
                    entry.getKey().equals(app) || entry.getValue().getApp().equals(app);
            if (meant && !here(entry.getKey())) {
                return placement(entry.getKey(), entry.getValue(), Map.of());
            }
        }
        return null;
    }

    /** An app that was placed, by its name or its id; null when none was. */
    SwarmView.@Nullable Named placed(String app) {
        return records.placements().entrySet().stream()
                .filter(entry ->
                        entry.getKey().equals(app) || entry.getValue().getApp().equals(app))
                .map(entry ->
                        new SwarmView.Named(entry.getKey(), entry.getValue().getApp()))
                .findFirst()
                .orElse(null);
    }

    /** Has everybody keep an app again, some lazily. */
    void everywhere(SwarmView.Named app, List<String> lazy) {
        if (!lazy.isEmpty()) {
            place(app, PlacementRecord.newBuilder(), lazy);
        } else if (records.entry(Records.PLACEMENT, app.id()) != null) {
            agreement.agree(() -> {
                ConfigEntry entry = records.entry(Records.PLACEMENT, app.id());
                return entry == null ? List.of() : List.of(Op.delete(entry));
            });
        }
    }

    /** Has some members keep an app, some more lazily, and no others. */
    void on(SwarmView.Named app, List<String> nodes, List<String> lazy) {
        if (nodes.isEmpty()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "can't place " + app.name() + " on no node: name the members that shall keep it, see \"fazt swarm"
                            + " status\"");
        }
        place(app, PlacementRecord.newBuilder().addAllNodes(ids(nodes)), lazy);
    }

    private List<String> ids(List<String> nodes) {
        return nodes.stream()
                .map(members::meant)
                .map(NodeId::toString)
                .distinct()
                .toList();
    }

    /** Has the members with a label, as {@code disk=big}, keep an app, and some lazily. */
    void labelled(SwarmView.Named app, String label, List<String> lazy) {
        String[] parts = label.split("=", 2);
        if (parts.length != 2 || !isWord(parts[0]) || !isWord(parts[1])) {
            throw badLabel(label);
        }
        place(app, PlacementRecord.newBuilder().setLabel(label), lazy);
    }

    private void place(SwarmView.Named app, PlacementRecord.Builder rule, List<String> lazy) {
        PlacementRecord record = rule.setApp(app.name()).addAllLazy(ids(lazy)).build();
        agreement.agree(() -> {
            Kept those = those(record, members.all());
            if (!lazy.isEmpty() && those.lazy().isEmpty()) {
                throw new SwarmException(
                        SwarmException.Reason.INVALID,
                        "can't place " + app.name() + " lazily on every member that keeps it: one has to have all of"
                                + " its files, for the others to fetch them from");
            }
            if (those.all().isEmpty()) {
                throw new SwarmException(
                        SwarmException.Reason.INVALID,
                        "can't place " + app.name() + " by label " + record.getLabel()
                                + ": no member has it, and the app would be on no node. \"fazt swarm label NODE "
                                + record.getLabel() + "\" first");
            }
            return List.of(Op.set(
                    records.entry(Records.PLACEMENT, app.id()), Records.PLACEMENT, app.id(), record.toByteArray()));
        });
    }

    /**
     * Changes a member's labels.
     *
     * @param changes {@code key=value} to set one, {@code key-} to take it off
     */
    void label(NodeId node, List<String> changes) {
        agreement.agree(() -> {
            ConfigEntry entry = records.entry(Records.MEMBER, node.toString());
            MemberRecord member = records.members().get(node);
            if (entry == null || member == null) {
                throw new SwarmException(
                        SwarmException.Reason.NOT_FOUND, "node " + node.shortText() + " is no member of this swarm");
            }
            Map<String, String> labels = new TreeMap<>(member.getLabelsMap());
            changes.forEach(change -> apply(change, labels));
            MemberRecord after =
                    member.toBuilder().clearLabels().putAllLabels(labels).build();
            Map<NodeId, MemberRecord> then = new LinkedHashMap<>(members.all());
            then.put(node, after);
            records.placements().forEach((app, placement) -> {
                // Where only lazy ones are left they would have to fetch from nobody.
                if (isEager(those(placement, members.all())) && !isEager(those(placement, then))) {
                    throw new SwarmException(
                            SwarmException.Reason.INVALID,
                            "can't take the label " + placement.getLabel() + " off " + member.getName()
                                    + ": it is the only member that keeps " + placement.getApp()
                                    + ". \"fazt swarm place " + placement.getApp() + "\" elsewhere first");
                }
            });
            return List.of(Op.set(entry, Records.MEMBER, entry.key(), after.toByteArray()));
        });
    }

    private static boolean isEager(Kept those) {
        return those.all().size() > those.lazy().size();
    }

    private static void apply(String change, Map<String, String> labels) {
        int equals = change.indexOf('=');
        if (equals < 0 && change.endsWith("-") && isWord(change.substring(0, change.length() - 1))) {
            labels.remove(change.substring(0, change.length() - 1));
        } else if (equals > 0 && isWord(change.substring(0, equals)) && isWord(change.substring(equals + 1))) {
            labels.put(change.substring(0, equals), change.substring(equals + 1));
        } else {
            throw badLabel(change);
        }
    }

    private static boolean isWord(String text) {
        return WORD.matcher(text).matches();
    }

    private static SwarmException badLabel(String label) {
        return new SwarmException(
                SwarmException.Reason.INVALID,
                "a label is key=value, each of a-z, 0-9, \".\", \"_\" and \"-\", or key- to take it off; not \"" + label
                        + "\"");
    }

    /** The names of apps that only this member keeps, by what is agreed. */
    List<String> onlyOn(NodeId node) {
        List<String> only = new ArrayList<>();
        records.placements().forEach((app, placement) -> {
            Kept those = kept.get(app);
            if (those != null && those.isOnly(node)) {
                only.add(placement.getApp());
            }
        });
        return only;
    }

    /** What is known of placement here. Blocking. */
    Placement.View view(SyncService sync, Set<Scope> present) {
        List<Placement> apps = new ArrayList<>();
        List<SwarmView.Named> leaving = new ArrayList<>();
        records.placements().forEach((app, placement) -> {
            Scope scope = new Scope(app);
            boolean here = here(app);
            Map<NodeId, Long> behind = new HashMap<>();
            if (present.contains(scope)) {
                behind.putAll(sync.behind(scope).toCompletableFuture().join());
            }
            if (here) {
                behind.put(self(), 0L);
            } else if (present.contains(scope)) {
                leaving.add(new SwarmView.Named(app, placement.getApp()));
            }
            apps.add(placement(app, placement, behind));
        });
        Map<SwarmView.Named, Map<String, String>> labels = new LinkedHashMap<>();
        members.all().forEach((id, member) -> {
            if (member.getLabelsCount() > 0) {
                labels.put(new SwarmView.Named(id.toString(), member.getName()), new TreeMap<>(member.getLabelsMap()));
            }
        });
        return new Placement.View(apps, labels, leaving);
    }

    /** How an app is placed. @param behind transactions that each linked member lacks */
    Placement placement(String app, PlacementRecord record, Map<NodeId, Long> behind) {
        Map<NodeId, MemberRecord> all = members.all();
        Kept those = those(record, all);
        Set<NodeId> eager = new LinkedHashSet<>(those.all());
        eager.removeAll(those.lazy());
        String rule = those.all().isEmpty()
                        || record.getNodesCount() == 0 && record.getLabel().isEmpty()
                ? "all"
                : record.getLabel().isEmpty() ? "on " + names(eager, all) : "label " + record.getLabel();
        return new Placement(
                new SwarmView.Named(app, record.getApp()),
                rule + (those.lazy().isEmpty() ? "" : ", lazy on " + names(those.lazy(), all)),
                (those.all().isEmpty() ? all.keySet() : those.all())
                        .stream()
                                .map(id -> new Placement.Holder(
                                        Members.named(id, all),
                                        behind.get(id),
                                        those.lazy().contains(id)))
                                .toList());
    }

    private static String names(Set<NodeId> nodes, Map<NodeId, MemberRecord> all) {
        return nodes.stream().map(id -> Members.named(id, all).name()).sorted().collect(Collectors.joining(", "));
    }
}
