package interop;

import java.util.List;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.client.RestClient;

@RestController
public class OrderController {

    private final OrderRepository orders;
    private final Environment environment;
    private final RestClient http = RestClient.create();

    OrderController(OrderRepository orders, Environment environment) {
        this.orders = orders;
        this.environment = environment;
    }

    record History(long total, List<Order> latest, String points) {}

    /** The history of a member: two statements, the counting one as slow as asked for, and a call to the partner. */
    @GetMapping("/v1/api/orders/history/{memberId}")
    History history(@PathVariable long memberId, @RequestParam(defaultValue = "0") double seconds) {
        List<Order> latest = orders.findTop10ByMemberIdOrderByIdDesc(memberId);
        String points = http.get()
                .uri("http://127.0.0.1:{port}/partner/points/{member}", environment.getProperty("local.server.port"), memberId)
                .retrieve()
                .body(String.class);
        return new History(orders.selectTotalHistory(memberId, seconds), latest, points);
    }

    @GetMapping("/v1/api/orders/broken")
    Order broken() {
        return orders.findBroken(1);
    }

    /** Stands for another company's API. */
    @GetMapping("/partner/points/{memberId}")
    String points(@PathVariable long memberId) {
        return "1200";
    }
}
