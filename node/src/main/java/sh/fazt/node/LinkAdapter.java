package sh.fazt.node;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkClass;
import sh.fazt.link.LinkCounters;
import sh.fazt.link.LinkState;
import sh.fazt.node.api.LinkControl;
import sh.fazt.node.api.SwarmControl.Named;
import sh.fazt.node.api.SwarmControl.Outcome;
import sh.fazt.swarm.Swarm;
import sh.fazt.swarm.SwarmView;

/** The control plane's port to the links. Thread-safe. */
final class LinkAdapter implements LinkControl {
    private final Swarm swarm;
    private final Executor io;

    LinkAdapter(Swarm swarm, Executor io) {
        this.swarm = swarm;
        this.io = io;
    }

    @Override
    public Links links() {
        Map<SwarmView.Named, LinkState> states = swarm.linkStates();
        Map<String, String> names = new HashMap<>();
        states.keySet().forEach(member -> names.put(member.id(), member.name()));
        List<Link> links = new ArrayList<>();
        states.forEach((member, state) -> {
            LinkClass linkClass = state.linkClass();
            links.add(new Link(
                    new Named(member.id(), member.name()),
                    state.up(),
                    linkClass == null ? null : linkClass.text(),
                    named(state.via(), names),
                    state.address(),
                    state.dialled(),
                    state.roundTrip(),
                    state.clockOffsetMillis(),
                    state.sentBytes(),
                    state.receivedBytes(),
                    state.sentRate(),
                    state.receivedRate(),
                    state.rateLimit(),
                    state.budgetLeft(),
                    state.faults(),
                    state.lastError()));
        });
        List<Setting> settings = swarm.linkSettings().entries().stream()
                .map(entry -> new Setting(
                        new Named(entry.of(), names.getOrDefault(entry.of(), "")), entry.key(), entry.value()))
                .toList();
        return new Links(links, settings, SwarmAdapter.heldBack(swarm));
    }

    private static @Nullable Named named(@Nullable NodeId id, Map<String, String> names) {
        return id == null ? null : new Named(id.toString(), names.getOrDefault(id.toString(), ""));
    }

    @Override
    public CompletionStage<Outcome<Links>> set(String peer, String key, String value) {
        return SwarmAdapter.run(io, () -> {
            swarm.setLink(peer, key, value);
            return links();
        });
    }

    /** For programs, in the text format of Prometheus. */
    String metrics() {
        LinkCounters counters = swarm.linkCounters();
        StringBuilder text = new StringBuilder();
        counter(text, "fazt_link_up_total", "Links that came up.", counters.linksUp());
        counter(text, "fazt_link_down_total", "Links that went down.", counters.linksDown());
        counter(text, "fazt_link_moved_total", "Links that went over to a better way.", counters.moved());
        counter(text, "fazt_link_relayed_streams_total", "Streams of other pairs passed on.", counters.relayed());
        counter(text, "fazt_link_bad_frames_total", "Frames that no member sends.", counters.badFrames());
        counter(text, "fazt_link_unknown_frames_total", "Frames of an unknown kind.", counters.unknownFrames());
        counter(text, "fazt_link_dropped_messages_total", "Messages that found no room.", counters.dropped());
        counter(text, "fazt_link_refused_total", "Streams and joins that were refused.", counters.refused());
        counter(text, "fazt_link_forged_books_total", "Address books that were refused.", counters.forgedBooks());
        counter(text, "fazt_link_accepted_connections_total", "Connections that came in.", counters.accepted());
        counter(text, "fazt_link_turned_away_connections_total", "Too many were open.", counters.turnedAway());
        int[] open = new int[LinkClass.values().length];
        long sent = 0;
        long received = 0;
        for (LinkState state : swarm.linkStates().values()) {
            LinkClass linkClass = state.linkClass();
            if (linkClass != null) {
                open[linkClass.ordinal()]++;
            }
            sent += state.sentBytes();
            received += state.receivedBytes();
        }
        text.append("# HELP fazt_link_open Links that are up.\n# TYPE fazt_link_open gauge\n");
        for (LinkClass linkClass : LinkClass.values()) {
            text.append("fazt_link_open{class=\"")
                    .append(linkClass.text())
                    .append("\"} ")
                    .append(open[linkClass.ordinal()])
                    .append('\n');
        }
        counter(
                text,
                "fazt_sync_fenced_rows_total",
                "Rows and changesets of evicted nodes that were refused.",
                swarm.refusedRows());
        counter(
                text,
                "fazt_tombstones_removed_total",
                "Deletions that every member knows of, and that are remembered no more.",
                swarm.removedTombstones());
        counter(text, "fazt_link_sent_bytes_total", "Payload to members.", sent);
        counter(text, "fazt_link_received_bytes_total", "Payload from members.", received);
        return text.toString();
    }

    private static void counter(StringBuilder text, String name, String help, long value) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(" counter\n");
        text.append(name).append(' ').append(value).append('\n');
    }
}
