import java.util.List;
import java.util.Map;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/** A cluster of one node: SearchNode DIRECTORY PORT. It runs until it is killed. */
public final class SearchNode extends Node {
    private SearchNode(Settings settings) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "search"), List.of(Netty4Plugin.class), false);
    }

    public static void main(String[] args) throws Exception {
        Settings settings = Settings.builder()
                .put("path.home", args[0])
                .put("path.data", args[0] + "/data")
                .put("path.logs", args[0] + "/logs")
                .put("cluster.name", "interop")
                .put("node.name", "search")
                .put("discovery.type", "single-node")
                .put("http.type", "netty4")
                .put("http.host", "127.0.0.1")
                .put("http.port", args[1])
                .put("transport.type", "netty4")
                .put("transport.host", "127.0.0.1")
                .put("transport.port", "0")
                .put("cluster.routing.allocation.disk.threshold_enabled", false) // a full disk of the machine is not what is tested
                .build();
        LogConfigurator.configureWithoutConfig(settings);
        SearchNode node = new SearchNode(settings);
        node.start();
        System.out.println("listening on " + node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().address());
        Thread.currentThread().join();
    }
}
