package sh.fazt.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import sh.fazt.swarm.Swarm;

/**
 * B11: members of a swarm that do nothing else, many in one process, for a node in another to have as peers:
 * {@code IdlePeers FOLDER TOKEN COUNT}. They stay until they are killed.
 */
public final class IdlePeers {
    private static final Duration TOKEN_LIFE = Duration.ofHours(1);

    private IdlePeers() {}

    public static void main(String[] args) throws IOException {
        Path folder = Files.createDirectories(Path.of(args[0]));
        String token = args[1];
        int count = Integer.parseInt(args[2]);
        List<Swarm> peers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Swarm peer = new SwarmNode(folder, folder.getFileName() + "-" + i).swarm;
            peer.join(i == 0 ? token : peers.get(0).token(TOKEN_LIFE).token().text());
            peers.add(peer);
        }
        System.out.println("ready");
    }
}
