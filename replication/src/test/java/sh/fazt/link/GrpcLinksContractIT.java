package sh.fazt.link;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import sh.fazt.identity.NodeId;
import sh.fazt.testkit.Await;
import sh.fazt.testkit.CutProxy;

/** Two nodes over real sockets, each dialling the other through a cable that can be cut. */
final class GrpcLinksContractIT extends LinksContract {
    @Override
    protected Net net() {
        return new SocketNet();
    }

    private static final class SocketNet implements Net {
        private final TestNode[] nodes = {new TestNode(), new TestNode()};
        private final CutProxy[] cables = new CutProxy[2];
        private boolean cut;

        @Override
        public Links links(int node) {
            return nodes[node].links;
        }

        @Override
        public NodeId id(int node) {
            return nodes[node].id();
        }

        @Override
        public void start() {
            for (int i = 0; i < 2; i++) {
                nodes[i].start();
                cables[i] = CutProxy.to(nodes[i].links.port());
                if (cut) {
                    cables[i].cut();
                }
            }
            nodes[0].trust(nodes[1], cables[1].address());
            nodes[1].trust(nodes[0], cables[0].address());
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
            for (CutProxy cable : cables) {
                if (cable != null) {
                    cable.close();
                }
            }
        }
    }
}
