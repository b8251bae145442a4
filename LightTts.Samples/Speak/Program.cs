Console.WriteLine("speak");
