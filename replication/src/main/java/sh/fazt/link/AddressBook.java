package sh.fazt.link;

import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * Where nodes may be dialled, this one included, by how that became known. What nobody has said again for a
 * while is forgotten, but for what the owner has named. Confined to the loop.
 */
final class AddressBook {
    /** Of one node from one source. */
    static final int MAX_EACH = 8;
    /** Of one node. */
    static final int MAX_ALL = 16;
    /** Nodes beyond the members that a stranger's advertisement may fill in. */
    private static final int MAX_NODES = 4096;

    private static final long TOLD_NANOS = Duration.ofDays(30).toNanos();
    private static final long SEEN_NANOS = Duration.ofDays(1).toNanos();

    private record Listed(List<HostPort> addresses, long nanos) {}

    private final LongSupplier nanos;
    private final Map<NodeId, EnumMap<AddressSource, Listed>> nodes = new HashMap<>();
    private volatile LocalNetworks networks = LocalNetworks.NONE;

    AddressBook(LongSupplier nanos) {
        this.nanos = nanos;
    }

    LocalNetworks networks() {
        return networks;
    }

    /** The networks that this node is in; false when they are as before. */
    boolean networks(LocalNetworks now) {
        boolean changed = !now.equals(networks);
        networks = now;
        return changed;
    }

    /** Takes the place of what that source said before; true when it said something else. */
    boolean put(NodeId node, AddressSource source, List<HostPort> addresses) {
        if (!nodes.containsKey(node) && (addresses.isEmpty() || nodes.size() >= MAX_NODES)) {
            return false;
        }
        EnumMap<AddressSource, Listed> known =
                nodes.computeIfAbsent(node, unused -> new EnumMap<>(AddressSource.class));
        List<HostPort> bounded = List.copyOf(
                new LinkedHashSet<>(addresses).stream().limit(MAX_EACH).toList());
        Listed before =
                bounded.isEmpty() ? known.remove(source) : known.put(source, new Listed(bounded, nanos.getAsLong()));
        return !bounded.equals(before == null ? List.of() : before.addresses());
    }

    void forget(NodeId node) {
        nodes.remove(node);
    }

    /** Every address of a node that still holds, the most trustworthy source first. */
    Map<HostPort, AddressSource> of(NodeId node) {
        Map<HostPort, AddressSource> all = new LinkedHashMap<>();
        EnumMap<AddressSource, Listed> known = nodes.get(node);
        if (known != null) {
            known.entrySet().removeIf(entry -> isOld(entry.getKey(), entry.getValue()));
            known.forEach((source, listed) -> listed.addresses().forEach(address -> {
                if (all.size() < MAX_ALL) {
                    all.putIfAbsent(address, source);
                }
            }));
        }
        return all;
    }

    private boolean isOld(AddressSource source, Listed listed) {
        long age = nanos.getAsLong() - listed.nanos();
        return switch (source) {
            case CONFIGURED -> false;
            case TOLD -> age > TOLD_NANOS;
            case LAN, MAPPED, OBSERVED -> age > SEEN_NANOS;
        };
    }

    /** The direct ways to a node, best first: its LAN if we are in it, then IPv6, then public ones. */
    List<Way> ways(NodeId node) {
        List<Way> ways = new ArrayList<>();
        of(node).keySet().stream()
                .sorted(Comparator.comparingInt(this::order))
                .forEach(address -> ways.add(new Way.Direct(address, rank(address))));
        return ways;
    }

    /** What an address promises. A name promises nothing until it is looked up. */
    LinkClass rank(HostPort address) {
        InetAddress literal = LocalNetworks.literal(address.host());
        return literal != null && networks.holds(literal) ? LinkClass.LAN : LinkClass.WAN;
    }

    private int order(HostPort address) {
        @Nullable InetAddress literal = LocalNetworks.literal(address.host());
        if (literal == null) {
            return 2;
        }
        if (networks.holds(literal)) {
            return 0;
        }
        if (LocalNetworks.isPrivate(literal)) {
            // Somebody else's network, or a tunnel.
            return 3;
        }
        return literal.getAddress().length == 16 ? 1 : 2;
    }
}
