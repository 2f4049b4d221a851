// Suites that share one Spark: a Java of their own would cost each of them half a minute until it is warm.
import './cases.suite';
import './engines-agree.suite';
import './forget.suite';
import './idle.suite';
import './kill.suite';
import './property.suite';
import './publish.suite';
import './queries.suite';
import './shop.suite';
