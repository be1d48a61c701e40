package frontdesk

// inbox holds messages between the connection and a program that reads them from a channel at its own pace.
type inbox struct {
	loop    *loop
	max     int
	waiting []Message
	out     chan Message
	wake    chan struct{}
	over    <-chan struct{}
	// Called within the loop: half of it is free again.
	drained func()
}

func newInbox(loop *loop, max int, over <-chan struct{}, drained func()) *inbox {
	box := &inbox{loop: loop, max: max, out: make(chan Message), wake: make(chan struct{}, 1), over: over, drained: drained}
	go box.run()
	return box
}

// push says whether there was room. Within the loop.
func (i *inbox) push(message Message) bool {
	if len(i.waiting) >= i.max {
		return false
	}
	i.waiting = append(i.waiting, message)
	select {
	case i.wake <- struct{}{}:
	default:
	}
	return true
}

func (i *inbox) run() {
	defer close(i.out)
	for {
		message, ok := i.first()
		if !ok {
			select {
			case <-i.wake:
				continue
			case <-i.over:
				return
			}
		}
		select {
		case i.out <- message:
			i.loop.do(func() {
				i.waiting = i.waiting[1:]
				if len(i.waiting) <= i.max/2 {
					i.drained()
				}
			})
		case <-i.over:
			return
		}
	}
}

func (i *inbox) first() (message Message, ok bool) {
	i.loop.do(func() {
		if ok = len(i.waiting) > 0; ok {
			message = i.waiting[0]
		}
	})
	return message, ok
}
