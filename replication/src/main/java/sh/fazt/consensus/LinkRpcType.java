package sh.fazt.consensus;

import org.apache.ratis.conf.Parameters;
import org.apache.ratis.rpc.RpcFactory;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerRpc;
import org.apache.ratis.server.ServerFactory;

/** Names the transport over the links to Ratis, which finds it by this class's name. Immutable. */
public final class LinkRpcType implements RpcType {
    private static final String TRANSPORT = "fazt.transport";

    /** For Ratis. */
    public LinkRpcType() {}

    static Parameters parameters(LinkTransport transport) {
        Parameters parameters = new Parameters();
        parameters.put(TRANSPORT, transport, LinkTransport.class);
        return parameters;
    }

    @Override
    public String name() {
        return LinkRpcType.class.getName();
    }

    @Override
    public RpcFactory newFactory(Parameters parameters) {
        LinkTransport transport = parameters.getNonNull(TRANSPORT, LinkTransport.class);
        return new ServerFactory() {
            @Override
            public RaftServerRpc newRaftServerRpc(RaftServer server) {
                return new LinkServerRpc(server, transport, LinkRpcType.this);
            }

            @Override
            public RpcType getRpcType() {
                return LinkRpcType.this;
            }
        };
    }
}
