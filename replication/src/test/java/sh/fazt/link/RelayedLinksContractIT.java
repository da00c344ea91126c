package sh.fazt.link;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import sh.fazt.identity.NodeId;
import sh.fazt.testkit.Await;
import sh.fazt.testkit.CutProxy;

/** Two nodes that know no address of each other, and a member between them that both can dial. */
final class RelayedLinksContractIT extends LinksContract {
    @Override
    protected Net net() {
        return new RelayedNet();
    }

    private static final class RelayedNet implements Net {
        private final TestNode[] nodes = {new TestNode(), new TestNode()};
        private final TestNode relay = new TestNode();
        private final CutProxy[] cables = new CutProxy[2];
        private boolean cut;

        @Override
        public Links links(int node) {
            return new OneOf(nodes[node].links, nodes[1 - node].id());
        }

        @Override
        public NodeId id(int node) {
            return nodes[node].id();
        }

        @Override
        public void start() {
            relay.start();
            relay.links.trust(Map.of(nodes[0].id(), List.of(), nodes[1].id(), List.of()));
            for (int i = 0; i < 2; i++) {
                nodes[i].start();
                cables[i] = CutProxy.to(relay.links.port());
                if (cut) {
                    cables[i].cut();
                }
                nodes[i].links.trust(Map.of(nodes[1 - i].id(), List.of(), relay.id(), List.of(cables[i].address())));
            }
        }

        @Override
        public void cut() {
            cut = true;
            for (CutProxy cable : cables) {
                if (cable != null) {
                    cable.cut();
                }
            }
        }

        @Override
        public void heal() {
            for (CutProxy cable : cables) {
                cable.heal();
            }
        }

        @Override
        public void until(String what, Duration within, BooleanSupplier condition) {
            Await.until(what, within, condition::getAsBoolean);
        }

        @Override
        public void close() {
            for (TestNode node : nodes) {
                node.close();
            }
            relay.close();
            for (CutProxy cable : cables) {
                if (cable != null) {
                    cable.close();
                }
            }
        }
    }
}
