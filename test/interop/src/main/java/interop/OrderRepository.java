package interop;

import java.util.List;
import org.springframework.data.jdbc.repository.query.Query;
import org.springframework.data.repository.Repository;

/** The statements of the order service. */
public interface OrderRepository extends Repository<Order, Long> {

    List<Order> findTop10ByMemberIdOrderByIdDesc(long memberId);

    /** Counts a member's orders and takes the given time for it, like a statement without an index. */
    @Query("""
            /* order.selectTotalHistory */ SELECT COUNT(1)
            FROM (WITH step1 AS (SELECT o.id, o.status FROM orders o
                                 JOIN order_item i ON i.order_id = o.id
                                 WHERE o.member_id = :memberId AND o.status <> 'CANCELLED')
                  SELECT * FROM step1) history, pg_sleep(:seconds)
            """)
    long selectTotalHistory(long memberId, double seconds);

    @Query("SELECT no_such_column FROM orders WHERE id = :id")
    Order findBroken(long id);
}
