package rule

// kinds are all kinds of alarms, in the order forms show them.
var kinds = []*Kind{slowSQL}
