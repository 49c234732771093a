package rule

// kinds are all kinds of alarms, in the order forms show them.
var kinds = []*Kind{
	slowSQL, slowConnection, manySQL, repeatedSQL,
	networkDelay, slowExternalCall, failedExternalCall, exception,
	responseTime, errorRate, throughput, apdex, sloBurn,
	logRate, issues,
	hostCPU, hostMemory, hostDisk, jvmHeap, jvmGC, threadPool, connectionPool, absence,
	promQL, savedQuery, alerts,
}
